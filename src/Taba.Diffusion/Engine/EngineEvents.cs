namespace Taba.Diffusion.Engine;

/// <summary>Something that an operator of an engine wants to know.</summary>
/// <param name="Engine">The name given in <see cref="EngineOptions.Name"/>.</param>
public abstract record EngineEvent(string Engine);

/// <summary>The device ran out of memory: from now on forward passes have at most <paramref name="Limit"/> rows.</summary>
public sealed record BatchLimitLowered(string Engine, int Rows, int Limit, Exception Error) : EngineEvent(Engine);

/// <summary>A trajectory ended without a result.</summary>
public sealed record TrajectoryFailed(string Engine, object? Tag, int Step, Exception Error) : EngineEvent(Engine);

/// <summary>The engine itself cannot go on; all its trajectories failed.</summary>
public sealed record EngineFaulted(string Engine, Exception Error) : EngineEvent(Engine);
