using System.Security.Cryptography;
using System.Text;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>A digest that a file's bytes must have, computed while they arrive.</summary>
sealed class ContentDigest : IDisposable
{
    readonly IncrementalHash _hash;
    readonly byte[] _prefix;
    readonly string _expected;

    ContentDigest(HashAlgorithmName algorithm, byte[] prefix, string expected)
    {
        _hash = IncrementalHash.CreateHash(algorithm);
        (_prefix, _expected) = (prefix, expected);
        Reset();
    }

    /// <summary>Bytes taken in.</summary>
    public long Length { get; private set; }

    /// <summary>The digest that a blob's name states: SHA-256 of the bytes, or git's SHA-1 of "blob SIZE\0" and the bytes.</summary>
    public static ContentDigest OfBlob(HubFile file) => file.Blob.Length == 64
        ? new ContentDigest(HashAlgorithmName.SHA256, [], file.Blob)
        : new ContentDigest(HashAlgorithmName.SHA1, Encoding.ASCII.GetBytes($"blob {file.Size}\0"), file.Blob);

    /// <summary>The Content-MD5 that a server states. Against accidents, not against attackers.</summary>
    public static ContentDigest OfMd5(byte[] md5) => new(HashAlgorithmName.MD5, [], Convert.ToHexStringLower(md5));

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    public void Reset()
    {
        _ = _hash.GetHashAndReset();
        _hash.AppendData(_prefix);
        Length = 0;
    }

    /// <summary>True when all bytes had the digest. Starts anew.</summary>
    public bool Matches()
    {
        var equal = Convert.ToHexStringLower(_hash.GetHashAndReset()) == _expected;
        Reset();
        return equal;
    }

    public void Dispose() => _hash.Dispose();
}
