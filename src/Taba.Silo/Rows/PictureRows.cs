using Taba.Diffusion.Tensors;

namespace Taba.Silo.Rows;

/// <summary>Pictures of a folder as float32 rows in [-1,1].</summary>
static class PictureRows
{
    public static void Read(ImageRows pictures, RowRange rows, Span<byte> destination)
    {
        ImageFolder.Open(pictures.Path, pictures.Height, pictures.Width).ReadRows(rows.Start, rows.Count, destination);
    }
}
