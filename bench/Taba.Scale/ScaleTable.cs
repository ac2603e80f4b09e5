using Taba.Grains.Stages;

namespace Taba.Scale;

/// <summary>The runs of the table: one thing changes at a time.</summary>
static class ScaleTable
{
    const int Devices = 8;
    const int SamplesOfSilo = 12_500;

    public static IEnumerable<ScaleOptions> Of(ScaleOptions shape)
    {
        var one = shape with { Silos = 1, DevicesPerSilo = Devices, Samples = SamplesOfSilo, PartRows = PartGrid.MaxRows };
        // More silos, each with the same work.
        foreach (var silos in (int[])[1, 2, 4, 8])
            yield return one with { Silos = silos, Samples = silos * SamplesOfSilo };
        // More samples on the same silos.
        foreach (var times in (int[])[2, 4])
            yield return one with { Silos = 2, Samples = 2 * times * SamplesOfSilo };
        // More parts of the same samples.
        foreach (var rows in (int[])[16, 8])
            yield return one with { Silos = 2, Samples = 2 * SamplesOfSilo, PartRows = rows };
    }
}
