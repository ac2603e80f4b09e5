using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Taba.Diffusion.Weights;

/// <summary>The identity of weights: the SHA-256 of their files.</summary>
public static class WeightDigest
{
    const int BufferBytes = 1 << 20;

    /// <summary>Reads the whole file (about a second a gigabyte) and returns 64 lower-case hexadecimal digits.</summary>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public static string Compute(string path, CancellationToken cancellation = default)
    {
        using var file = SourceFile.Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var offset = 0L;
            for (int read; (read = RandomAccess.Read(file.Handle, buffer, offset)) > 0; offset += read)
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// The identity of weights in several files: of one file its own digest, of several the SHA-256 of their digests in order, a
    /// line each.
    /// </summary>
    public static string Combine(IReadOnlyList<string> digests)
    {
        ArgumentNullException.ThrowIfNull(digests);
        return digests is [var only]
            ? only
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(digests.Select(digest => $"{digest}\n")))));
    }
}
