using System.Runtime.InteropServices;
using Taba.Diffusion.Tensors;

namespace Taba.Silo.Rows;

/// <summary>Rows of a tensor file that the user gave, as float32.</summary>
static class StateFile
{
    public static void ReadRows(TensorReader tensor, RowRange rows, Span<byte> destination)
    {
        if (tensor.Dtype == TorchSharp.torch.ScalarType.Float32)
        {
            tensor.ReadRows(rows.Start, rows.Count, destination);
            return;
        }
        var stored = new byte[checked(rows.Count * tensor.RowBytes)];
        tensor.ReadRows(rows.Start, rows.Count, stored);
        FloatRows.ToFloat32(stored, tensor.Dtype, destination);
    }

    /// <summary>Class ids, int64.</summary>
    public static long[] ReadLabels(TensorReader tensor, RowRange rows)
    {
        var labels = new long[rows.Count];
        tensor.ReadRows(rows.Start, rows.Count, MemoryMarshal.AsBytes(labels.AsSpan()));
        return labels;
    }
}
