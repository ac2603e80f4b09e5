namespace Taba.Diffusion.Randomness;

/// <summary>Checks a request for rows of noise against the rows that there are.</summary>
static class RowRequest
{
    /// <summary>Refuses a request that does not fit; totalRows is null where there is no last row.</summary>
    internal static void Check(long start, int count, int rowBytes, int destinationLength, long? totalRows)
    {
        if (start < 0 || count < 0 || start > long.MaxValue - count || (totalRows is { } total && start + count > total))
        {
            throw new ArgumentOutOfRangeException(
                nameof(start), start,
                $"Rows {start} to {start + count} were asked for; the noise has "
                + $"{(totalRows is { } rows ? $"rows 0 to {rows}" : "no negative rows")}.");
        }

        if (destinationLength != (long)count * rowBytes)
        {
            throw new ArgumentException(
                $"{count} rows of {rowBytes} bytes need a destination of {(long)count * rowBytes} bytes, this one has "
                + $"{destinationLength}.");
        }
    }
}
