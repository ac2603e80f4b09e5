using System.Runtime.InteropServices;

namespace Taba.Diffusion.Native;

/// <summary>
/// oneDNN's small matrix products, which libtorch uses in its own attention of bfloat16 but not of float32: there it takes MKL's, which has
/// a slow path on processors that are not Intel's. The function is no part of a stable interface; where it is missing nothing is lost but
/// speed.
/// </summary>
static unsafe class MatrixProduct
{
    /// <summary>at::native::cpublas::brgemm over float32.</summary>
    const string Name = "_ZN2at6native7cpublas6brgemmEllllllbPKfS3_Pfb";

    static readonly delegate* unmanaged<long, long, long, long, long, long, byte, float*, float*, float*, byte, void> s_product = Find();

    /// <summary>False where libtorch does not have it.</summary>
    public static bool IsAvailable => s_product is not null;

    /// <summary>C = A·B, row by row. By the calling thread alone.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="a">The first factor.</param>
    /// <param name="lda">From a row of A to the next.</param>
    /// <param name="b">The second.</param>
    /// <param name="ldb">From a row of B to the next.</param>
    /// <param name="c">Is overwritten.</param>
    /// <param name="ldc">From a row of C to the next.</param>
    public static void Multiply(long m, long n, long k, float* a, long lda, float* b, long ldb, float* c, long ldc) =>
        s_product(m, n, k, lda, ldb, ldc, 0, a, b, c, 0);

    static delegate* unmanaged<long, long, long, long, long, long, byte, float*, float*, float*, byte, void> Find() =>
        OperatingSystem.IsLinux() && TorchRuntime.TryLoad("libtorch_cpu.so", out var library)
        && NativeLibrary.TryGetExport(library, Name, out var address)
            ? (delegate* unmanaged<long, long, long, long, long, long, byte, float*, float*, float*, byte, void>)address
            : null;
}
