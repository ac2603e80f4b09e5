using System.Text.Json;
using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>
/// What upstream's scripts decode of their own samples, so that the states' scale is theirs: DiT's are divided by the scaling factor,
/// LDM's are decoded as they are, whatever factor its config names.
/// </summary>
public sealed class DecodedSamplesTests
{
    static readonly (string Family, string Component, string Decoded)[] families =
        [("ldm", "vqvae", "samples_decoded"), ("dit", "vae", "decoded_samples")];

    /// <summary>Runs with pictures, with the autoencoder's component and the pictures' name.</summary>
    public static TheoryData<string, string, string> Runs
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (family, component, decoded) in families)
            {
                var runs = Fixtures.Cases($"e2e/{family}", "tensors.safetensors")
                    .Where(run => ReferenceTensors.Load($"{run}/tensors.safetensors").Has(decoded));
                foreach (var run in runs)
                    data.Add(run, component, decoded);
            }

            return data;
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Decode_SamplesOfTheReferenceScript_ItsPictures(string run, string component, string decoded)
    {
        var tensors = ReferenceTensors.Load($"{run}/tensors.safetensors");
        using var model = JsonDocument.Parse(File.ReadAllText(Fixtures.At($"{Path.GetDirectoryName(run)}/model.json")));
        var folder = ModelFolder.Open(Fixtures.At(model.RootElement.GetProperty("model").GetString()!));
        using var network = AutoencoderDefinition.Read(folder, component).Load(CPU, ScalarType.Float32);

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var pictures = network.Decode(tensors.Float32("samples"));

        Assert.Equal(tensors.Shape(decoded), pictures.shape);
        TensorAssert.Close(pictures.data<float>().ToArray(), tensors.Values<float>(decoded), 2e-5, 1e-4, run);
    }
}
