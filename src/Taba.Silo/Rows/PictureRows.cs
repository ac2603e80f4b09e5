using Taba.Diffusion.Tensors;

namespace Taba.Silo.Rows;

/// <summary>Pictures of a folder as float32 rows in [-1,1].</summary>
static class PictureRows
{
    /// <summary>Lists them, once for all that is read of them.</summary>
    public static ImageFolder Open(ImageRows pictures) => ImageFolder.Open(pictures.Path, pictures.Height, pictures.Width);

    public static void Read(ImageFolder folder, RowRange rows, Span<byte> destination) =>
        folder.ReadRows(rows.Start, rows.Count, destination);
}
