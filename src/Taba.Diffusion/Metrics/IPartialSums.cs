namespace Taba.Diffusion.Metrics;

/// <summary>
/// What is kept of the rows that an analysis has seen: small, whatever their number, so that rows are measured in parts, on any machine,
/// and the parts are put together in the order of their rows.
/// </summary>
/// <typeparam name="TSelf">The analysis.</typeparam>
public interface IPartialSums<TSelf>
    where TSelf : IPartialSums<TSelf>
{
    /// <summary>Takes in what was kept of the rows that follow these.</summary>
    /// <exception cref="ArgumentException">The other was made for rows of another shape, or with other settings.</exception>
    void Merge(TSelf later);

    /// <summary>Writes all that <see cref="Read"/> needs.</summary>
    void Write(BinaryWriter writer);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is something else, or states more than there is.</exception>
    static abstract TSelf Read(BinaryReader reader);
}
