using System.CommandLine;
using Taba.Client.Hosts;

namespace Taba.Client.Commands;

/// <summary><c>taba sample|swap|forward FAMILY</c>: upstream's scripts.</summary>
static class FamilyCommand
{
    public static Command Create(CommandServices services, UpstreamScript script)
    {
        var (name, description) = script switch
        {
            UpstreamScript.Sample => ("sample", "Samples images; inverts and reconstructs them on request (run_FAMILY_sampling)."),
            UpstreamScript.Swap =>
                ("swap", "Inverts images with the first K predictions or states replaced by the true ones (run_FAMILY_invert_swap)."),
            _ => ("forward", "Inverts images with the first K steps replaced by forward diffusion (run_FAMILY_invert_forward)."),
        };
        var command = new Command(name, description);
        foreach (var family in UpstreamFamily.All)
        {
            var words = $"{family.Title}: {char.ToLowerInvariant(description[0])}{description[1..]}";
            command.Subcommands.Add(OfFamily(services, script, name, family, words));
        }
        return command.WithExamples(
            [.. UpstreamFamily.All.Where(f => f.Folder is not null || f.Models.Count > 0).Select(f => ExamplesOf(script, name, f)[0])]);
    }

    /// <summary>True for a command whose subcommands are families.</summary>
    public static bool IsGroup(Command command) => command.Name is "sample" or "swap" or "forward";

    static Command OfFamily(CommandServices services, UpstreamScript script, string name, UpstreamFamily family, string description)
    {
        var common = new CommonFlags("pt");
        var output = new OutputFlags();
        var flags = new UpstreamFlags(script, family, common, output);
        var command = new Command(family.Name, description) { KeyValueArguments.Told() };
        foreach (var option in flags.All.Concat(common.All).Concat(output.All))
            command.Options.Add(option);
        command.SetAction((parsed, interrupted) =>
        {
            var arguments = flags.Read(parsed);
            UpstreamTranslation.RequireSwapPath(arguments);
            var spec = UpstreamTranslation.ToSpec(arguments) with
            {
                Precision = common.Precision(parsed),
                Noise = common.Noise(parsed),
                ForwardNoise = common.ForwardNoise(parsed),
                Deterministic = common.Deterministic(parsed),
                Format = common.Format(parsed, TensorFormat.Pt),
                Device = common.Device(parsed),
                NumProcesses = common.NumProcesses(parsed),
                Network = common.Network(parsed),
                Overwrite = output.Overwrite(parsed),
            };
            return services.RunAsync(
                new RunJob
                {
                    Spec = output.Policies(parsed, spec),
                    StoreRoot = UpstreamFolders.StoreRoot(arguments),
                    Folder = UpstreamFolders.SaveDir(arguments),
                    CommandLine = services.CommandLine,
                    Family = family.Name,
                    Cluster = output.Cluster(parsed),
                    Detach = output.Detach(parsed),
                    NoWait = output.NoWait(parsed),
                    DryRun = output.DryRun(parsed),
                    DashboardPort = output.DashboardPort(parsed),
                    Json = output.Json(parsed),
                    Verbose = output.Verbose(parsed),
                },
                interrupted);
        });
        return command.WithExamples(ExamplesOf(script, name, family));
    }

    static string[] ExamplesOf(UpstreamScript script, string name, UpstreamFamily family)
    {
        var (model, decoded) = family.Name switch
        {
            "adm" => ("--model demo ", ""),
            "gaussian" => ("--model gaussian/model.json ", ""),
            _ => ("", family.Name == "if" ? "" : "    # with pictures of samples and reconstructions"),
        };
        var conditions = family.Name switch
        {
            "dit" => " --input_cond_path out/base/conds.pt",
            "if" => " --input_prompts_path out/base/prompts.pkl",
            _ => "",
        };
        var samples = family.DrawsConditions ? "--n_prompts 32 --noises_per_prompt 8" : "--n_samples 256";
        var images = family.Name == "if" ? "--input_samples_path" : "--input_image_path";
        return script switch
        {
            UpstreamScript.Sample =>
            [
                $"taba {name} {family.Name} {model}{samples} --num_inference_steps 10 --with_inversion --with_reconstruction --save_dir "
                + $"out/base{decoded}",
                .. family.Name switch
                {
                    "adm" =>
                        new[] { $"taba {name} adm --model_name cifar_pixel_32 --weights cifar10_uncond_50M_500K.pt --seed 420 --internal" },
                    "dit" => [$"taba {name} dit --labels 'golden retriever,207,volcano' --guidance_scale 4 --save_dir out/labels"],
                    "if" => [$"taba {name} if --prompts hobbit --guidance_scale 7 --save_dir out/hobbit",
                        $"taba {name} if --prompts my-prompts.txt --n_prompts 10"],
                    _ => [],
                },
                $"taba {name} {family.Name} {model}{samples} --n_parts 4 --part_idx 0 --save_dir out/base",
            ],
            UpstreamScript.Swap =>
            [
                $"taba {name} {family.Name} {model}--num_inference_steps 10 {images} out/base/samples.pt{conditions} "
                + "--swap_type eps --swap_before_t 3 --swap_path out/base/all_t_eps_samples.pt --save_dir out/swap3",
            ],
            _ =>
            [
                $"taba {name} {family.Name} {model}--num_inference_steps 10 {images} out/base/samples.pt{conditions} "
                + "--forward_before_t 3 --forward_seed 999 --with_reconstruction --save_dir out/forward3",
            ],
        };
    }
}
