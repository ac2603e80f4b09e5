using System.Net;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;
using Taba.Grains.Silos;
using Taba.Silo.Devices;
using Taba.Silo.Workers;
using Taba.Simulation.Scheduling;
using Device = TorchSharp.torch.Device;

namespace Taba.Simulation.Cluster;

/// <summary>One life of a silo's process: its grains, its worker, its view of the members.</summary>
sealed class SimSilo : Process, IPlacementContext
{
    static readonly MethodInfo s_execute = typeof(PartWorker).GetMethod("ExecuteAsync", BindingFlags.Instance | BindingFlags.NonPublic)!;

    /// <summary>A processor, without libtorch.</summary>
    static readonly SiloDevices s_devices = (SiloDevices)Activator.CreateInstance(
        typeof(SiloDevices), BindingFlags.Instance | BindingFlags.NonPublic, binder: null,
        [new[] { new DeviceChoice((Device)RuntimeHelpers.GetUninitializedObject(typeof(Device)), "cpu") }], culture: null)!;

    public SimSilo(Machine machine, int generation)
        : base(machine.Cluster.World, $"m{machine.Index}.{generation}", machine.ClockOffset)
    {
        (Machine, Cluster) = (machine, machine.Cluster);
        Address = SiloAddress.New(new IPEndPoint(new IPAddress([10, 0, 0, (byte)(machine.Index + 1)]), 11111), generation);
        Worker = Address.ToParsableString();
        Facts = new($"m{machine.Index}", Role, s_devices, Cluster.Settings.BatchSize);
        Metadata = Membership.Told(Facts);
        View = new(Cluster.Membership, this);
        Grains = new(Cluster, this);
        Services = SiloServices.Of(this);
    }

    public Machine Machine { get; }

    public SimCluster Cluster { get; }

    public SiloAddress Address { get; }

    /// <summary>Its address, by which leases know it.</summary>
    public string Worker { get; }

    public SiloRole Role => Machine.IsCoordinator ? SiloRole.Coordinator : SiloRole.Worker;

    public SiloFacts Facts { get; }

    public SiloMetadata Metadata { get; }

    public MembershipView View { get; }

    public SimGrainFactory Grains { get; }

    public IServiceProvider Services { get; }

    public Dictionary<GrainId, Activation> Activations { get; } = [];

    public bool HasJoined => Cluster.Membership.StatusOf(this) == SiloStatus.Active;

    SiloAddress IPlacementContext.LocalSilo => Address;

    SiloStatus IPlacementContext.LocalSiloStatus => View.CurrentSnapshot.GetSiloStatus(Address);

    /// <summary>Joins, and works.</summary>
    public void Begin()
    {
        Cluster.Membership.Set(this, SiloStatus.Joining);
        World.After(World.Random.Seconds(0.1, 2), this, () =>
        {
            Cluster.Membership.Set(this, SiloStatus.Active);
            View.Update();
        });
        OffGrain(() => (Task)s_execute.Invoke(Services.GetRequiredService<PartWorker>(), [CancellationToken.None])!).ContinueWith(
            ended => World.Break("worker", $"the worker of {Name} ended: {ended.Exception}"), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, Pool);
    }

    /// <summary>A call arrives.</summary>
    public void Receive(Call call, object?[] arguments)
    {
        if (call.ExpiresAt < World.Now)
            return;
        if (!Activations.TryGetValue(call.Grain, out var activation))
        {
            activation = new(this, call.Kind, call.Grain);
            if (!call.Kind.IsOfItsSilo && Cluster.Directory.Register(activation) is var registered && registered != activation)
            {
                Cluster.Route(this, call);
                return;
            }
            Activations[call.Grain] = activation;
            activation.Start();
        }
        activation.Receive(new(call, arguments, null));
    }

    public void Forget(Activation activation)
    {
        if (Activations.GetValueOrDefault(activation.GrainId) == activation)
            Activations.Remove(activation.GrainId);
        Cluster.Directory.Remove(activation);
    }

    /// <summary>Where a grain that is nowhere is to be, by the real rules.</summary>
    public SiloAddress Place(GrainKind kind, GrainId grain)
    {
        var director = SiloServices.DirectorOf(kind, Services);
        if (director is null)
        {
            var silos = ((IPlacementContext)this).GetCompatibleSilos(default);
            return silos.Length > 0 ? World.Random.Pick(silos) : Address;
        }
        var placed = director.OnAddActivation(kind.Placement!, new(grain, [], default, 0), this);
        return placed.IsCompleted ? placed.GetAwaiter().GetResult() : throw new NotSupportedException("placement waits");
    }

    public override void Die()
    {
        base.Die();
        foreach (var activation in Activations.Values)
            SiloServices.Buried(activation);
        foreach (var machine in Cluster.Machines)
        {
            // Connections break: those who waited for it learn of it, or find out by the time.
            foreach (var call in machine.Silo?.Outstanding.Where(c => c.Target == this).ToList() ?? [])
            {
                if (World.Random.Chance(0.3))
                    World.After(World.Random.Seconds(0, 1), call.From, () => call.Answer(
                        p => p.Fail(new SiloUnavailableException($"{Name} closed the connection"))));
            }
        }
        foreach (var call in Cluster.Client.Outstanding.Where(c => c.Target == this).ToList())
            call.Answer(p => p.Fail(new SiloUnavailableException($"{Name} closed the connection")));
        Activations.Clear();
    }

    SiloAddress[] IPlacementContext.GetCompatibleSilos(PlacementTarget target) =>
        [.. View.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active).Select(m => m.SiloAddress).Order()];

    IReadOnlyDictionary<ushort, SiloAddress[]> IPlacementContext.GetCompatibleSilosWithVersions(PlacementTarget target) =>
        throw new NotSupportedException();
}
