using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Has one in so many published parts of a deterministic stage computed once more, on another silo where there is one, and compared there
/// with what is published (docs/design/versions.md). It is a sample: what is forgotten with an activation, or lost with a worker, is not
/// made up for. In the grain's turns only.
/// </summary>
/// <param name="key">The stage's key.</param>
/// <param name="oneIn">One part in so many; 0 for none.</param>
/// <param name="patience">A worker that does not renew for so long has it no more.</param>
sealed class Recomputation(string key, int oneIn, TimeSpan patience, TimeProvider time)
{
    /// <summary>A device that is slow to be asked must not be remembered for ever.</summary>
    const int MostWaiting = 64;

    /// <summary>Only a few at a time: the rows that nobody has come first.</summary>
    const int MostOut = 4;

    readonly LinkedList<Lease> _waiting = [];
    readonly Dictionary<PartAttempt, long> _out = [];

    /// <summary>Attempts that are out.</summary>
    public ImmutableArray<PartAttempt> Attempts => [.. _out.Keys];

    /// <summary>Which parts are chosen follows from the stage and the row alone: the same for all who ask, at any time.</summary>
    public static bool IsChosen(string key, int rowStart, int oneIn) => oneIn > 0
        && BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{key}/{rowStart}"))) % (ulong)oneIn == 0;

    /// <summary>A part was published whole by the attempt that had this lease.</summary>
    public void Published(Lease lease, StageSpec spec)
    {
        if (spec.Determinism is null || !IsChosen(key, lease.Rows.Start, oneIn))
            return;
        _waiting.AddLast(lease);
        if (_waiting.Count > MostWaiting)
            _waiting.RemoveFirst();
    }

    /// <summary>A part for a worker to compute once more; null when there is none.</summary>
    /// <param name="worker">Who asks.</param>
    /// <param name="alone">Whether nobody else could do it.</param>
    /// <param name="spec">The stage.</param>
    /// <param name="epoch">The last that was given: it names nothing here, and an older attempt must not seem newer.</param>
    public PartLease? Take(string worker, bool alone, StageSpec spec, int epoch)
    {
        foreach (var gone in _out.Where(o => time.GetElapsedTime(o.Value) > patience).Select(o => o.Key).ToList())
            _out.Remove(gone);
        if (_out.Count >= MostOut || _waiting.FirstOrDefault(l => alone || l.Worker != worker) is not { } lease)
            return null;
        _waiting.Remove(lease);
        var attempt = new PartAttempt(key, lease.Rows.Start, epoch, Guid.NewGuid());
        _out[attempt] = time.GetTimestamp();
        return new(attempt, spec, lease.Rows, CaptureSelection.None, Supplement: false) { Worker = worker, Verify = true };
    }

    /// <summary>True when something waits.</summary>
    public bool IsWaiting => _waiting.Count > 0;

    /// <summary>A worker goes on with it. False when it is none of these.</summary>
    public bool Renew(PartAttempt attempt)
    {
        if (!_out.ContainsKey(attempt))
            return false;
        _out[attempt] = time.GetTimestamp();
        return true;
    }

    /// <summary>It ended, however. False when it is none of these.</summary>
    public bool End(PartAttempt attempt) => _out.Remove(attempt);
}
