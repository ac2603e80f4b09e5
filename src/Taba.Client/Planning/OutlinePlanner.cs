using Taba.Client.Hosts;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Inputs;
using Taba.Silo.Models;

namespace Taba.Client.Planning;

/// <summary>Plans to look at, also where models are not here.</summary>
static class OutlinePlanner
{
    /// <summary>Plans with what is here.</summary>
    /// <param name="models">Finds models, and writes nothing.</param>
    /// <param name="deviceKind">The kind of device that will compute.</param>
    /// <exception cref="Taba.Grains.BadInputException">It cannot be run as asked.</exception>
    public static PlanOutline Of(SweepSpec spec, ModelCatalogue models, string deviceKind)
    {
        InputPaths.RequirePresent(spec);
        var (catalogue, files) = (new OutlineCatalogue(models), new OutlineInputFiles(new TensorInputFiles()));
        var plan = new SweepPlanner(catalogue, files, deviceKind).Plan(spec);
        return new(plan, [.. catalogue.Absent, .. files.Absent is { } dataset ? [dataset] : Array.Empty<AbsentFile>()]);
    }
}
