using System.Security.Cryptography;
using System.Text;
using Taba.Diffusion.Models;
using Taba.Diffusion.Tensors;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Silo.Conditions;

/// <summary>Embeddings of prompts in the store's folder: <c>embeddings/MODEL-DTYPE/PROMPT.safetensors</c>, named by digests.</summary>
sealed class EmbeddingStore(string storeRoot)
{
    const string TensorName = "embedding";

    /// <summary>Names an embedding: by model with its text encoder, precision, and prompt.</summary>
    public static string Key(string modelDigest, string dtype, string prompt) =>
        $"{modelDigest}-{dtype}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(prompt)))}";

    public bool Has(string key) => File.Exists(PathOf(key));

    /// <exception cref="StoreException">It is not there, or is not what it should be.</exception>
    public byte[] Read(string key, TextShape shape, ScalarType type)
    {
        var path = PathOf(key);
        return StoreErrors.Guard(path, () =>
        {
            using var file = TensorFile.Open(path);
            var tensor = file.Single(TensorName);
            if (tensor.Dtype != type || !tensor.Shape.SequenceEqual([shape.Length, shape.Width]))
                throw new StoreException($"{path} is no embedding of {shape} in {type}: delete it, and the same command makes it anew.");
            var values = new byte[tensor.Rows * tensor.RowBytes];
            tensor.ReadRows(0, tensor.Rows, values);
            return values;
        });
    }

    /// <summary>Whole or not at all, whoever else writes it.</summary>
    public void Write(string key, TextShape shape, ScalarType type, ReadOnlySpan<byte> values)
    {
        var path = PathOf(key);
        StoreErrors.Guard(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        // The writer has a name of its own until it is complete.
        using var writer = StoreErrors.Guard(
            path, () => TensorFileWriter.Create(path, TensorFormat.Safetensors, TensorName, type, [shape.Length, shape.Width]));
        StoreErrors.Guard(path, writer, values, static (w, bytes) => w.Write(bytes));
        StoreErrors.Guard(path, () =>
        {
            writer.Complete();
            return 0;
        });
    }

    string PathOf(string key) => Path.Combine(storeRoot, "embeddings", key.Replace('/', Path.DirectorySeparatorChar) + ".safetensors");
}
