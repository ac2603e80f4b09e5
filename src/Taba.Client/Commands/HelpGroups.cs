using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary>Where an option stands in help. A command with few options has one list.</summary>
static class HelpGroups
{
    const int Few = 8;
    const string Rest = "Options";

    static readonly (string Title, string[] Options)[] s_groups =
    [
        ("What to run", [
            "n_samples", "num_inference_steps", "with_inversion", "with_reconstruction", "internal", "swap_before_t", "swap_type",
            "swap_path", "forward_before_t", "forward_seed", "forward_alignment", "input_image_path", "input_noise_path", "n_parts",
            "part_idx", "dry_run"]),
        ("Model and weights", ["model", "model_name", "weights", "sample_size"]),
        ("Conditions", [
            "n_prompts", "noises_per_prompt", "cond_seed", "guidance_scale", "prompts", "prompts_dataset_path", "input_prompts_path",
            "labels", "input_cond_path"]),
        ("Numbers", [
            "seed", "noise", "forward_noise", "deterministic", "dtype", "state_dtype", "noise_dtype", "batch_size"]),
        ("Where", ["device", "num_processes", "network", "cluster", "detach", "priority", "no_wait"]),
        ("Output", [
            "save_dir", "out", "format", "decode", "no_decode", "overwrite", "on_error", "json", "verbose", "dashboard", "dashboard_port"]),
    ];

    /// <summary>The groups that have options, in their order; what is in none comes last.</summary>
    public static IEnumerable<(string Title, IReadOnlyList<Option> Options)> Of(IReadOnlyList<Option> options)
    {
        if (options.Count <= Few)
            return [(Rest, options)];
        var grouped = s_groups.Select(g => (g.Title, (IReadOnlyList<Option>)[
            .. g.Options.Select(name => options.FirstOrDefault(o => o.Name == $"--{name}")).OfType<Option>()]));
        var known = s_groups.SelectMany(g => g.Options).Select(name => $"--{name}").ToHashSet();
        return grouped.Append((Rest, [.. options.Where(o => !known.Contains(o.Name))])).Where(g => g.Item2.Count > 0);
    }
}
