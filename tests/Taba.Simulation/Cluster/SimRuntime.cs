using Orleans.Core;
using Orleans.Timers;

namespace Taba.Simulation.Cluster;

/// <summary>What Orleans gives to the grains of a silo.</summary>
sealed class SimRuntime(SimSilo silo) : IGrainRuntime, ITimerRegistry, ILocalSiloDetails
{
    public string SiloIdentity => silo.Address.ToString();

    public SiloAddress SiloAddress => silo.Address;

    public IGrainFactory GrainFactory => silo.Grains;

    public ITimerRegistry TimerRegistry => this;

    public IServiceProvider ServiceProvider => silo.Services;

    public TimeProvider TimeProvider => silo.Time;

    public string Name => silo.Name;

    public string ClusterId => "simulation";

    public string DnsHostName => silo.Name;

    public SiloAddress GatewayAddress => silo.Address;

    public void DeactivateOnIdle(IGrainContext grainContext) => ((Activation)grainContext).Deactivate("it asked for it");

    public void DelayDeactivation(IGrainContext grainContext, TimeSpan timeSpan) => ((Activation)grainContext).DelayDeactivation(timeSpan);

    public IStorage<TGrainState> GetStorage<TGrainState>(IGrainContext grainContext) => throw new NotSupportedException();

    public IGrainTimer RegisterGrainTimer<TState>(
        IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options) =>
        ((Activation)grainContext).AddTimer(token => callback(state, token), options);

    public IDisposable RegisterTimer(
        IGrainContext grainContext, Func<object?, Task> callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException();
}
