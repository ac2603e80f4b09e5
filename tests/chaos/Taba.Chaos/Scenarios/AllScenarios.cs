namespace Taba.Chaos.Scenarios;

/// <summary>Every scenario, in the order in which they are run.</summary>
static class AllScenarios
{
    public static IReadOnlyList<Scenario> Of() =>
    [
        .. KillScenarios.Of(),
        .. FreezeScenarios.Of(),
        .. ServerScenarios.Of(),
        .. ClientScenarios.Of(),
        .. ShapeScenarios.Of(),
        .. NetworkScenarios.Of(),
        .. MachineScenarios.Of(),
        .. DamageScenarios.Of(),
    ];
}
