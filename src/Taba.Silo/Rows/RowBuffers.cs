using Taba.Silo.Parts;

namespace Taba.Silo.Rows;

/// <summary>
/// Arrays for the rows of parts, used again: parts are alike, and each would leave large garbage behind that the collector is in no
/// hurry to find. Contents are not cleared.
/// </summary>
sealed class RowBuffers
{
    /// <summary>Inputs and results of the parts that are computed at once, and those that <see cref="RecentResults"/> holds.</summary>
    const int MostSpare = 4;

    readonly Lock _lock = new();
    readonly List<byte[]> _spare = [];

    /// <summary>An array of exactly that many bytes.</summary>
    public byte[] Rent(int bytes)
    {
        lock (_lock)
        {
            var found = _spare.FindLastIndex(b => b.Length == bytes);
            if (found >= 0)
            {
                var buffer = _spare[found];
                _spare.RemoveAt(found);
                return buffer;
            }
        }
        return GC.AllocateUninitializedArray<byte>(bytes);
    }

    /// <summary>
    /// Takes an array that nobody reads or writes any more. One that may still be in use is left to the collector instead.
    /// </summary>
    public void Return(byte[] buffer)
    {
        lock (_lock)
        {
            if (_spare.Count == MostSpare)
                _spare.RemoveAt(0);
            _spare.Add(buffer);
        }
    }
}
