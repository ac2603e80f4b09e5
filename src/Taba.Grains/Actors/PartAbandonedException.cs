using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>An attempt at a part was abandoned by the silo that ran it.</summary>
sealed class PartAbandonedException(PartFault fault) : Exception(fault.Reason)
{
    public PartFault Fault { get; } = fault;
}
