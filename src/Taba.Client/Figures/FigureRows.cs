using System.Globalization;

namespace Taba.Client.Figures;

/// <summary>Of how many samples a figure is drawn: of all, or of as many as are read in a second or two, and it says so.</summary>
static class FigureRows
{
    /// <summary>Values of one tensor: 128 MB, which are 10,922 samples of 3x32x32.</summary>
    const long MostValues = 1L << 25;

    /// <summary>Values of a tensor with steps: 512 MB.</summary>
    const long MostStepValues = 1L << 27;

    public static int Of(FigureTensor tensor) => (int)Math.Clamp(MostValues / tensor.Shape.Elements, 1, tensor.Rows);

    /// <param name="tensor">One with steps.</param>
    public static int OfSteps(FigureTensor tensor) =>
        (int)Math.Clamp(MostStepValues / (tensor.Shape.Elements * tensor.Steps.Length), 1, tensor.Rows);

    /// <summary>"64 samples", "the first 5,461 of 10,240 samples".</summary>
    public static string Words(int rows, int all) => rows == all
        ? $"{Number(all)} {(all == 1 ? "sample" : "samples")}"
        : $"the first {Number(rows)} of {Number(all)} samples";

    static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
