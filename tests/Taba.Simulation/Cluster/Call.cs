using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Cluster;

/// <summary>A call on its way to a grain.</summary>
sealed class Call(Process from, GrainKind kind, GrainId grain, GrainMethod method, object?[] arguments)
{
    public Process From => from;

    public GrainKind Kind => kind;

    public GrainId Grain => grain;

    public GrainMethod Method => method;

    public object?[] Arguments => arguments;

    /// <summary>Null for a call that nobody waits for.</summary>
    public Pending? Pending { get; init; }

    /// <summary>After this time nobody waits for the answer any more, and a silo drops the call.</summary>
    public long ExpiresAt { get; init; }

    public Due? Timeout { get; set; }

    public SimSilo? Target { get; set; }

    public int Hops { get; set; }

    public bool IsOver { get; private set; }

    /// <summary>Gives the caller its answer, once.</summary>
    public void Answer(Action<Pending> give)
    {
        if (IsOver)
            return;
        IsOver = true;
        Timeout?.Cancel();
        from.Outstanding.Remove(this);
        if (Pending is not null)
            give(Pending);
    }

    public override string ToString() => $"{method.Name} of {grain.Key}";
}
