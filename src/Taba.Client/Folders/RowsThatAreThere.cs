using Taba.Diffusion.Metrics;

namespace Taba.Client.Folders;

/// <summary>A tensor without the rows that failed, whose values in the file are no numbers.</summary>
/// <param name="all">The tensor.</param>
/// <param name="there">Rows that did not fail, from the tensor's first row on.</param>
sealed class RowsThatAreThere(IMetricRows all, RowSet there) : IMetricRows
{
    public string Identity => all.Identity;

    public StateShape Shape => all.Shape;

    public long Rows => there.Count;

    public int RowLength => all.RowLength;

    public void Read(long first, Span<float> destination)
    {
        foreach (var range in there.Ranges)
        {
            if (first >= range.Count)
            {
                first -= range.Count;
                continue;
            }
            var values = (int)Math.Min(destination.Length, (range.Count - first) * RowLength);
            all.Read(range.Start + first, destination[..values]);
            destination = destination[values..];
            if (destination.IsEmpty)
                return;
            first = 0;
        }
    }
}
