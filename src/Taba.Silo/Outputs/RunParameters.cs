using Taba.Storage.RunFolders;
using System.Text.Json.Nodes;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Outputs;

/// <summary>
/// The parameters that metrics.json names beside its metrics (<c>_params</c>): those that were given, or those of the run.
/// </summary>
static class RunParameters
{
    public static JsonObject Of(PlannedRun run, OutputFolder folder, RunFolderOptions options)
    {
        var parameters = new JsonObject();
        if (options.Parameters is { } given)
        {
            foreach (var (name, text) in given)
                parameters[name] = ParameterText.Read(text);
            // Upstream's LDM forward script counts what it was given.
            if (parameters.TryGetPropertyValue("n_samples", out var count) && count is null)
                parameters["n_samples"] = run.Rows.Count;
            return parameters;
        }
        foreach (var (name, text) in run.Axes)
            parameters[name] = ParameterText.Read(text);
        parameters["n_samples"] = run.Rows.Count;
        parameters["output_dir"] = folder.Place;
        if (run.Intervention is { Kind: InterventionKind.Forward } forward)
        {
            parameters["forward_before_t"] = forward.Before;
            parameters["forward_seed"] = forward.Seed;
        }
        else if (run.Intervention is { } swap)
        {
            parameters["swap_type"] = swap.Kind == InterventionKind.SwapEps ? "eps" : "xt";
            parameters["swap_before_t"] = swap.Before;
        }
        return parameters;
    }
}
