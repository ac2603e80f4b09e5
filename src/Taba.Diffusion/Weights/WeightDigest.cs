using System.Buffers;
using System.Security.Cryptography;

namespace Taba.Diffusion.Weights;

/// <summary>The identity of a weights file: the SHA-256 of its bytes.</summary>
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
}
