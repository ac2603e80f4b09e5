using System.Collections.Immutable;
using System.Reflection;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Taba.Silo.Workers;
using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Cluster;

/// <summary>The table of members, as it stands in a database, and who is told of its changes when.</summary>
sealed class Membership(World world)
{
    readonly Dictionary<SiloAddress, (SimSilo Silo, SiloStatus Status)> _rows = [];
    long _version;

    public IEnumerable<SimSilo> Active => _rows.Values.Where(r => r.Status == SiloStatus.Active).Select(r => r.Silo);

    public SiloStatus StatusOf(SimSilo silo) => _rows.TryGetValue(silo.Address, out var row) ? row.Status : SiloStatus.None;

    public ClusterMembershipSnapshot Snapshot => new(
        _rows.Values.ToImmutableDictionary(r => r.Silo.Address, r => new ClusterMember(r.Silo.Address, r.Status, r.Silo.Name)),
        new(_version));

    public SiloMetadata MetadataOf(SiloAddress address) =>
        _rows.TryGetValue(address, out var row) ? row.Silo.Metadata : SiloMetadata.Empty;

    /// <summary>Writes a row; the others hear of it by and by.</summary>
    public void Set(SimSilo silo, SiloStatus status)
    {
        if (StatusOf(silo) is SiloStatus.Dead || StatusOf(silo) == status)
            return;
        _rows[silo.Address] = (silo, status);
        _version++;
        world.Note("member", silo, status.ToString());
        if (status == SiloStatus.Dead)
            silo.Cluster.Directory.Forget(silo);
        foreach (var (other, known) in _rows.Values.ToList())
        {
            if (known == SiloStatus.Dead && other != silo)
                continue;
            var late = world.Random.Chance(0.7) ? world.Random.Seconds(0, 0.05) : world.Random.Seconds(0, 2);
            world.After(late, other, other.View.Update);
        }
    }

    /// <summary>Facts of a silo as it tells them.</summary>
    public static SiloMetadata Told(SiloFacts facts)
    {
        var told = new SiloMetadata();
        typeof(SiloMetadata).GetProperty(nameof(SiloMetadata.Metadata), BindingFlags.Instance | BindingFlags.Public)!.SetValue(
            told, facts.ToMetadata().ToImmutableDictionary());
        return told;
    }
}

/// <summary>The members as one silo knows them.</summary>
sealed class MembershipView(Membership membership, SimSilo silo) : IClusterMembershipService, ISiloMetadataCache
{
    TaskCompletionSource _changed = new();

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } = membership.Snapshot;

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => UpdatesAsync();

    public SiloMetadata GetSiloMetadata(SiloAddress siloAddress) => membership.MetadataOf(siloAddress);

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default)
    {
        Update();
        return ValueTask.CompletedTask;
    }

    public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);

    public bool IsActive(SimSilo other) => CurrentSnapshot.GetSiloStatus(other.Address) == SiloStatus.Active;

    /// <summary>Reads the table. A silo that reads there of its own death ends.</summary>
    public void Update()
    {
        var before = CurrentSnapshot;
        CurrentSnapshot = membership.Snapshot;
        if (CurrentSnapshot.GetSiloStatus(silo.Address) == SiloStatus.Dead)
        {
            silo.Machine.Ended(silo, "it was declared dead");
            return;
        }
        var dead = silo.Outstanding.Where(c => c.Target is { } t && CurrentSnapshot.GetSiloStatus(t.Address) == SiloStatus.Dead);
        foreach (var call in dead.ToList())
            call.Answer(p => p.Fail(new SiloUnavailableException($"{call.Target!.Name} is dead")));
        if (before.Version == CurrentSnapshot.Version)
            return;
        var changed = _changed;
        _changed = new();
        changed.TrySetResult();
    }

    async IAsyncEnumerable<ClusterMembershipSnapshot> UpdatesAsync()
    {
        while (true)
        {
            var changed = _changed.Task;
            yield return CurrentSnapshot;
            await changed;
        }
    }
}
