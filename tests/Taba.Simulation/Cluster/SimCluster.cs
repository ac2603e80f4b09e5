using Orleans.Runtime.Placement;
using Taba.Simulation.Scheduling;
using Taba.Simulation.Storage;

namespace Taba.Simulation.Cluster;

/// <summary>Machines and the silos on them, and how calls find their grains.</summary>
sealed class SimCluster
{
    public static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);
    const int MostHops = 6;

    public SimCluster(World world, Settings settings)
    {
        (World, Settings) = (world, settings);
        Network = new(world);
        Membership = new(world);
        States = new(world);
        Objects = new(world);
        Facts = new(this);
        Machines = [.. Enumerable.Range(0, settings.Machines).Select(i => new Machine(this, i))];
        Client = new(world, "client", TimeSpan.Zero);
        Grains = new(this, Client);
    }

    public World World { get; }

    public Settings Settings { get; }

    public Network Network { get; }

    public Membership Membership { get; }

    public Directory Directory { get; } = new();

    public StateTable States { get; }

    public MemoryObjects Objects { get; }

    /// <summary>What the run knows and the code under test does not.</summary>
    public Checks.Facts Facts { get; }

    public IReadOnlyList<Machine> Machines { get; }

    public IEnumerable<SimSilo> Running => Machines.Select(m => m.Silo).OfType<SimSilo>();

    public Process Client { get; }

    /// <summary>Grains as the client has them.</summary>
    public SimGrainFactory Grains { get; }

    /// <summary>Sends a call; what is returned is what the method returns.</summary>
    public object Call(Process from, GrainKind kind, GrainId grain, GrainMethod method, object?[] arguments)
    {
        World.RequireThread();
        var pending = method.NewPending();
        if (Trace.WithCalls && World.Trace.Records)
            World.Trace.Tell(World.Now, "call", from.Name, $"{method.Name} of {grain.Key} {string.Join(", ", arguments.Take(2))}");
        var call = new Call(from, kind, grain, method, arguments)
        {
            Pending = method.IsOneWay ? null : pending,
            ExpiresAt = World.Now + ResponseTimeout.Ticks,
        };
        if (method.IsOneWay)
            pending.Complete(null);
        else
        {
            call.Timeout = World.After(ResponseTimeout, from, () => call.Answer(p => p.Fail(
                new TimeoutException($"Response did not arrive on time in {ResponseTimeout} for {call}"))));
            from.Outstanding.Add(call);
        }
        if (from is SimSilo silo)
            Route(silo, call);
        else if (Machines.Select(m => m.Silo).OfType<SimSilo>().Where(s => s.HasJoined).ToList() is { Count: > 0 } gateways)
        {
            var gateway = World.Random.Pick(gateways);
            call.Target = gateway;
            Network.Send(from, gateway, () => Route(gateway, call), () => Reject(call, "the gateway is gone"));
        }
        else
            Reject(call, "there is no gateway");
        return pending.Returned;
    }

    /// <summary>Finds the silo of a call's grain, as the sender would, and sends it there.</summary>
    public void Route(SimSilo sender, Call call)
    {
        if (call.Hops++ > MostHops)
        {
            Reject(call, "it was forwarded too often");
            return;
        }
        SimSilo target;
        try
        {
            target = Locate(sender, call);
        }
        catch (Exception exception)
        {
            Answer(sender, call, p => p.Fail(exception));
            return;
        }
        call.Target = target;
        // Arguments leave the sender's hands now, whatever it does with them later.
        var arguments = sender == target && call.From == sender ? Wire.Copy(call.Arguments) : Wire.Send(call.Arguments);
        Network.Send(
            sender, target, () => target.Receive(call, arguments), () => Reject(call, $"{target.Name} is gone"),
            mayRepeat: call.Pending is null);
    }

    /// <summary>Brings an answer back to the caller.</summary>
    public void Answer(SimSilo from, Call call, Action<Pending> give)
    {
        if (call.Pending is not null)
            Network.Send(from, call.From, () => call.Answer(give), dead: null);
    }

    /// <summary>A message could not be delivered, and its sender learns that at once or not at all.</summary>
    void Reject(Call call, string why)
    {
        if (World.Random.Chance(0.7))
            World.After(World.Random.Seconds(0.001, 1), call.From, () => call.Answer(p => p.Fail(
                new SiloUnavailableException($"The call {call} could not be delivered: {why}"))));
    }

    SimSilo Locate(SimSilo sender, Call call)
    {
        if (sender.Activations.ContainsKey(call.Grain) || (call.Kind.IsOfItsSilo && !call.Kind.IsPinned))
            return sender;
        if (!call.Kind.IsOfItsSilo && Directory.Find(call.Grain) is { } known)
            return known.Silo;
        var chosen = sender.Place(call.Kind, call.Grain);
        return Running.FirstOrDefault(s => s.Address.Equals(chosen))
            ?? Machines.SelectMany(m => m.Past).FirstOrDefault(s => s.Address.Equals(chosen))
            ?? throw new SiloUnavailableException($"{chosen} is no silo");
    }
}
