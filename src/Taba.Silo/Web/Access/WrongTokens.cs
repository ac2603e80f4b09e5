using System.Net;

namespace Taba.Silo.Web.Access;

/// <summary>Counts wrong tokens by the address that they come from, so that nobody can try many.</summary>
sealed class WrongTokens(TimeProvider time)
{
    public const int MostInAWindow = 20;

    /// <summary>More addresses than these are counted as one, so that the counts stay small.</summary>
    const int MostAddresses = 1024;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    readonly Lock _lock = new();
    readonly Dictionary<IPAddress, int> _counts = [];
    long _begun = time.GetTimestamp();

    /// <summary>False when an address has tried too often in this window.</summary>
    public bool MayTry(IPAddress address)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_begun) >= Window)
            {
                _counts.Clear();
                _begun = time.GetTimestamp();
            }
            return _counts.GetValueOrDefault(Counted(address)) < MostInAWindow;
        }
    }

    public void Add(IPAddress address)
    {
        lock (_lock)
            _counts[Counted(address)] = _counts.GetValueOrDefault(Counted(address)) + 1;
    }

    IPAddress Counted(IPAddress address) =>
        _counts.Count < MostAddresses || _counts.ContainsKey(address) ? address : IPAddress.None;
}
