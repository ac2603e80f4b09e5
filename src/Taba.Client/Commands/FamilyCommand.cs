using System.CommandLine;
using Taba.Client.Running;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary><c>taba sample|swap|forward FAMILY</c>: upstream's scripts.</summary>
static class FamilyCommand
{
    static readonly string[] Built = ["adm", "gaussian"];
    static readonly string[] Later = ["ldm", "dit", "if"];

    public static Command Create(CommandServices services, UpstreamScript script)
    {
        var (name, description) = script switch
        {
            UpstreamScript.Sample => ("sample", "Samples images; inverts and reconstructs them on request (run_FAMILY_sampling)."),
            UpstreamScript.Swap => ("swap", "Inverts images with the first K predictions or states replaced by the true ones (run_FAMILY_invert_swap)."),
            _ => ("forward", "Inverts images with the first K steps replaced by forward diffusion (run_FAMILY_invert_forward)."),
        };
        var command = new Command(name, description);
        foreach (var family in Built)
            command.Subcommands.Add(OfFamily(services, script, name, family, description));
        foreach (var family in Later)
            command.Subcommands.Add(NotBuilt(family));
        return command;
    }

    static Command OfFamily(CommandServices services, UpstreamScript script, string name, string family, string description)
    {
        var common = new CommonFlags("pt");
        var output = new OutputFlags();
        var flags = new UpstreamFlags(script, common, output);
        var command = new Command(family, description);
        foreach (var option in flags.All.Concat(common.All).Concat(output.All))
            command.Options.Add(option);
        command.SetAction((parsed, interrupted) =>
        {
            var arguments = flags.Read(parsed);
            var spec = UpstreamTranslation.ToSpec(arguments) with
            {
                Precision = common.Precision(parsed),
                Noise = common.Noise(parsed),
                ForwardNoise = common.ForwardNoise(parsed),
                Deterministic = common.Deterministic(parsed),
                Format = common.Format(parsed, TensorFormat.Pt),
                Device = common.Device(parsed),
                Overwrite = output.Overwrite(parsed),
            };
            return new SweepRunner(services.Host, services.Terminal).RunAsync(
                new RunJob
                {
                    Spec = spec,
                    StoreRoot = UpstreamFolders.StoreRoot(arguments),
                    Folder = UpstreamFolders.SaveDir(arguments),
                    CommandLine = services.CommandLine,
                    Family = family,
                    Json = output.Json(parsed),
                    Verbose = output.Verbose(parsed),
                },
                interrupted);
        });
        return command.WithExamples(ExamplesOf(script, name, family));
    }

    static Command NotBuilt(string family)
    {
        var command = new Command(family) { Hidden = true, TreatUnmatchedTokensAsErrors = false };
        command.SetAction(int (_) => throw new BadInputException($"Family {family} is not built in this version: {string.Join(" and ", Built)} are."));
        return command;
    }

    static string[] ExamplesOf(UpstreamScript script, string name, string family) => script switch
    {
        UpstreamScript.Sample =>
        [
            $"taba {name} {family} --model demo --n_samples 256 --num_inference_steps 10 --with_inversion --with_reconstruction --save_dir out/base",
            $"taba {name} {family} --model_name cifar_pixel_32 --weights cifar10_uncond_50M_500K.pt --seed 420 --internal",
            $"taba {name} {family} --model demo --n_samples 300 --n_parts 3 --part_idx 0 --save_dir out/base",
        ],
        UpstreamScript.Swap =>
        [
            $"taba {name} {family} --model demo --num_inference_steps 10 --input_image_path out/base/samples.pt "
            + "--swap_type eps --swap_before_t 3 --swap_path out/base/all_t_eps_samples.pt --save_dir out/swap3",
        ],
        _ =>
        [
            $"taba {name} {family} --model demo --num_inference_steps 10 --input_image_path out/base/samples.pt "
            + "--forward_before_t 3 --forward_seed 999 --with_reconstruction --save_dir out/forward3",
        ],
    };
}
