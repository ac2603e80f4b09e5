using Taba.Grains.Faults;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>An attempt at a part was abandoned by the silo that ran it.</summary>
sealed class PartAbandonedException(Fault fault) : Exception(fault.Reason)
{
    public Fault Fault { get; } = fault;
}
