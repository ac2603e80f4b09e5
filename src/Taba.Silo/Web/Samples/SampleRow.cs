using Taba.Silo.Pictures;
using Taba.Storage.Manifests;

namespace Taba.Silo.Web.Samples;

/// <summary>Where the bytes of one published row are, and how they are drawn.</summary>
/// <param name="Path">The object within the store.</param>
/// <param name="Offset">The row's first byte in the object.</param>
/// <param name="Digest">Of the object's tensor; with the row it says which numbers these are.</param>
sealed record SampleRow(string Path, long Offset, StateShape Shape, ValueRange Range, string Digest, int Row)
{
    /// <summary>A row of more bytes is no picture: 1024 pixels a side and four channels have these.</summary>
    const int MostBytes = 16 << 20;

    const int Axes = 4;

    /// <summary>The row among the manifests of its cell; null when it is not published, or is no picture.</summary>
    /// <param name="manifests">Of the row's cell; what a store says is not taken on trust.</param>
    public static SampleRow? Find(IEnumerable<PartManifest> manifests, int row)
    {
        var manifest = manifests.FirstOrDefault(m => !m.Supplement && m.Rows.Contains(new(row, row + 1)));
        if (manifest?.Object(TensorKinds.None) is not { Dtype: "float32", Shape: { Length: Axes } axes } entry
            || axes.Any(length => length is < 1 or > MostBytes))
            return null;
        var shape = new StateShape((int)axes[1], (int)axes[2], (int)axes[3]);
        // Three factors of up to 2^24 overflow a long: the first two do not.
        if (axes[1] * axes[2] > MostBytes || shape.Bytes > MostBytes)
            return null;
        var offset = entry.DataOffset + (row - manifest.RowStart) * shape.Bytes;
        return new(entry.Path, offset, shape, RangeOf(entry.Name, shape), entry.Sha256, row);
    }

    /// <summary>
    /// Pictures are between -1 and 1; what is inverted, and what only an autoencoder makes a picture of, is about a standard normal.
    /// </summary>
    static ValueRange RangeOf(string name, StateShape shape) =>
        name is "latents" or "encoded" || shape.Channels > 3 ? ValueRange.Latent : ValueRange.Image;
}
