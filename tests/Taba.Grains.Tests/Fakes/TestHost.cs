using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Fakes;

/// <summary>A host that works on one stage, and starts anew, at the same address, each time that it dies.</summary>
sealed class TestHost(TestSilo silo, IStageGrain stage, string name)
{
    /// <summary>Rows of all the parts that fit.</summary>
    const int Room = 80;

    int _generation;

    public int Deaths => _generation;

    /// <summary>Parts that it was given, in order.</summary>
    public List<PartLease> Leased { get; } = [];

    public string Worker => $"{name}:11111@{_generation}";

    /// <summary>What it cannot survive.</summary>
    public Func<PartLease, bool> Kills { get; set; } = _ => false;

    /// <summary>Takes what it gets until it is full, and publishes all of it, or dies of it.</summary>
    /// <returns>False when it got nothing.</returns>
    public async Task<bool> WorkAsync()
    {
        var held = new List<PartLease>();
        while (held.Sum(l => l.Rows.Count) is var rows and < Room && !held.Any(l => l.Alone))
        {
            var more = await stage.LeaseAsync(Worker, new LeaseRequest(Room - rows, null) { Held = rows });
            if (more.IsEmpty)
                break;
            held.AddRange(more);
        }
        Leased.AddRange(held);
        if (held.Any(Kills))
        {
            silo.Membership.Dead[Worker] = true;
            _generation++;
            return true;
        }
        foreach (var lease in held)
        {
            silo.Store.Publish(lease.Attempt, lease.Rows, lease.Keep, lease.Supplement);
            await stage.CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
        }
        return held.Count > 0;
    }
}
