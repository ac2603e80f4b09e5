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
            // What was asked for says nothing of samples that a file gave. A part keeps the number of the whole.
            if (parameters.ContainsKey("n_samples") && Given(run) is { } count)
                parameters["n_samples"] = count;
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

    /// <summary>The rows of the file or folder that a run began with; null when it drew its noise.</summary>
    static int? Given(PlannedRun run) => Rows(run.Tensor("samples")) ?? Rows(run.Tensor("noise"));

    static int? Rows(RunTensor? tensor) => tensor?.Rows switch
    {
        FileRows file => file.TotalRows,
        ImageRows pictures => pictures.TotalRows,
        _ => null,
    };
}
