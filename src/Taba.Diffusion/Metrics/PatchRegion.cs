namespace Taba.Diffusion.Metrics;

/// <summary>A rectangle of neighbouring patches of one size: what can be handled as one tensor.</summary>
/// <param name="Top">First pixel row.</param>
/// <param name="Left">First pixel column.</param>
/// <param name="Rows">Patches downwards.</param>
/// <param name="Columns">Patches to the right.</param>
/// <param name="PatchHeight">Pixel rows of a patch.</param>
/// <param name="PatchWidth">Pixel columns of a patch.</param>
readonly record struct PatchRegion(int Top, int Left, int Rows, int Columns, int PatchHeight, int PatchWidth)
{
    internal int Patches => Rows * Columns;

    /// <summary>Values of one patch: the variables whose correlation is taken.</summary>
    internal long Variables(int channels) => (long)channels * PatchHeight * PatchWidth;

    /// <summary>Bytes of the float64 covariances of all its patches.</summary>
    internal long Bytes(int channels) => checked(Patches * BytesPerPatch(channels));

    long BytesPerPatch(int channels) => checked(Variables(channels) * Variables(channels) * sizeof(double));

    /// <summary>
    /// All patches of an image, in passes of which each keeps its covariances below the limit. Patches at the right and lower edge
    /// are smaller where the size does not divide the image.
    /// </summary>
    /// <exception cref="ArgumentException">One patch alone is above the limit.</exception>
    internal static IReadOnlyList<IReadOnlyList<PatchRegion>> Plan(StateShape shape, int patchSize, long memoryLimit)
    {
        var passes = new List<IReadOnlyList<PatchRegion>>();
        var pass = new List<PatchRegion>();
        long used = 0;
        foreach (var region in OfImage(shape, patchSize).SelectMany(region => region.Split(shape, memoryLimit)))
        {
            var bytes = region.Bytes(shape.Channels);
            if (used + bytes > memoryLimit)
            {
                passes.Add(pass);
                (pass, used) = ([], 0);
            }

            pass.Add(region);
            used += bytes;
        }

        passes.Add(pass);
        return passes;
    }

    static IEnumerable<PatchRegion> OfImage(StateShape shape, int patchSize)
    {
        foreach (var (top, rows, height) in Bands(shape.Height, patchSize))
        {
            foreach (var (left, columns, width) in Bands(shape.Width, patchSize))
                yield return new PatchRegion(top, left, rows, columns, height, width);
        }
    }

    // Whole patches, then the narrower one that is left over.
    static IEnumerable<(int Start, int Count, int Size)> Bands(int length, int patchSize)
    {
        var (whole, rest) = Math.DivRem(length, patchSize);
        if (whole > 0)
            yield return (0, whole, patchSize);
        if (rest > 0)
            yield return (whole * patchSize, 1, rest);
    }

    IEnumerable<PatchRegion> Split(StateShape shape, long memoryLimit)
    {
        var bytesPerPatch = BytesPerPatch(shape.Channels);
        if (bytesPerPatch > memoryLimit)
        {
            throw new ArgumentException(
                $"The correlation of a {PatchHeight}x{PatchWidth} patch of {shape} needs {bytesPerPatch:N0} bytes, the limit is "
                + $"{memoryLimit:N0}; use a smaller patch.");
        }

        var fitting = (int)Math.Min(int.MaxValue, memoryLimit / bytesPerPatch);
        var columnsAtOnce = Math.Min(Columns, fitting);
        var rowsAtOnce = Math.Max(1, Math.Min(Rows, fitting / Columns));
        for (var row = 0; row < Rows; row += rowsAtOnce)
        {
            for (var column = 0; column < Columns; column += columnsAtOnce)
            {
                yield return this with
                {
                    Top = Top + (row * PatchHeight),
                    Left = Left + (column * PatchWidth),
                    Rows = Math.Min(rowsAtOnce, Rows - row),
                    Columns = Math.Min(columnsAtOnce, Columns - column),
                };
            }
        }
    }
}
