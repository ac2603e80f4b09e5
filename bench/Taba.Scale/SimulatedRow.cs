using Taba.Grains.Stages;

namespace Taba.Scale;

/// <summary>A trajectory in a slot of a simulated device.</summary>
sealed class SimulatedRow(PartAttempt attempt, int sample, SlotHandle ticket, int steps)
{
    public PartAttempt Attempt => attempt;

    public int Sample => sample;

    public SlotHandle Ticket => ticket;

    /// <summary>The stage's, T.</summary>
    public int Steps => steps;

    /// <summary>Chosen when it first runs: the one with the fewest rows.</summary>
    public SimulatedDevice? Device { get; set; }

    /// <summary>Steps of the running segment that are left.</summary>
    public int StepsLeft { get; set; }

    /// <summary>Steps that the trajectory has made when the segment ends.</summary>
    public int NextStep { get; set; }

    public bool Closed { get; set; }
}
