using System.CommandLine;
using Taba.Client.Commands;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

/// <summary>Reads flags as <c>taba sample|swap|forward FAMILY</c> reads them, and runs nothing.</summary>
static class FamilyCommandLine
{
    public static UpstreamFlags Flags(string family, UpstreamScript script) =>
        Flags(family, script, new CommonFlags("pt"), new OutputFlags());

    public static UpstreamArguments Read(string family, UpstreamScript script, params string[] args)
    {
        var common = new CommonFlags("pt");
        var output = new OutputFlags();
        var flags = Flags(family, script, common, output);
        var command = new Command("x");
        foreach (var option in flags.All.Concat(common.All).Concat(output.All))
            command.Options.Add(option);
        var parsed = command.Parse(args);
        Assert.Empty(parsed.Errors);
        return flags.Read(parsed);
    }

    public static SweepSpec Spec(string family, UpstreamScript script, params string[] args) =>
        UpstreamTranslation.ToSpec(Read(family, script, args));

    public static string Refusal(string family, UpstreamScript script, params string[] args) =>
        Assert.Throws<BadInputException>(() => Spec(family, script, args)).Message;

    /// <summary>The least that a swap or forward of the family needs.</summary>
    public static string[] Inputs(string family) => family switch
    {
        "dit" => ["--input_image_path", "samples.pt", "--input_cond_path", "conds.pt"],
        "if" => ["--input_samples_path", "samples.pt", "--input_prompts_path", "prompts.pkl"],
        "ldm" => ["--input_image_path", "samples.pt"],
        _ => ["--model", "demo", "--input_image_path", "samples.pt"],
    };

    static UpstreamFlags Flags(string family, UpstreamScript script, CommonFlags common, OutputFlags output) =>
        new(script, UpstreamFamily.All.Single(f => f.Name == family), common, output);
}
