using System.CommandLine;

namespace Taba.Bench;

/// <summary>What the command <c>networks</c> is asked for.</summary>
/// <param name="Models">As <see cref="PublishedNetwork.Of"/> takes them.</param>
/// <param name="Batches">Samples of a pass.</param>
/// <param name="Rounds">How often all contenders have their turn.</param>
/// <param name="Seconds">A contender's turn.</param>
/// <param name="Onnx">The one model's ONNX file; null for none.</param>
/// <param name="BFloat16">Whether the fast form in bfloat16 takes part.</param>
/// <param name="ByOperation">Whether a pass is told apart by operation at each batch.</param>
/// <param name="Json">Where all numbers go; null for nowhere.</param>
sealed record NetworksRequest(
    IReadOnlyList<string> Models, IReadOnlyList<int> Batches, int Rounds, double Seconds, string? Onnx, bool BFloat16, bool ByOperation,
    string? Json);

/// <summary>The command <c>networks</c>.</summary>
static class NetworksCommand
{
    const int Refused = 2;

    public static Command Create()
    {
        var models = new Option<string[]>("--model")
        {
            Description = "adm-32, adm-64, adm-256, demo, a model.json, or the config.json of a network; weights are drawn.",
            DefaultValueFactory = _ => ["demo"], AllowMultipleArgumentsPerToken = true,
        };
        var batches = new Option<int[]>("--batch")
        {
            Description = "Samples of a pass.", DefaultValueFactory = _ => [1, 4, 16], AllowMultipleArgumentsPerToken = true,
        };
        var rounds = new Option<int>("--rounds") { Description = "Interleaved rounds.", DefaultValueFactory = _ => 5 };
        var seconds = new Option<double>("--seconds") { Description = "Of a contender in a round.", DefaultValueFactory = _ => 3 };
        var onnx = new Option<string?>("--onnx") { Description = "The model as an ONNX file, for ONNX Runtime beside it." };
        var bfloat16 = new Option<bool>("--bfloat16") { Description = "The fast form in bfloat16 takes part." };
        var byOperation = new Option<bool>("--by-operation") { Description = "Also where the time of a fast pass goes." };
        var json = new Option<string?>("--json") { Description = "A file for all numbers, round by round." };
        var profile = new Option<string?>("--profile")
        {
            Description = "A folder of drawn weights (for the process that tells operations apart).", Hidden = true,
        };
        var command = new Command(
            "networks", "The forms of a network, and ONNX Runtime, against each other and against the processor's measured peak.")
        {
            models, batches, rounds, seconds, onnx, bfloat16, byOperation, json, profile,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var ask = new NetworksRequest(
                parsed.GetRequiredValue(models), parsed.GetRequiredValue(batches), parsed.GetValue(rounds), parsed.GetValue(seconds),
                parsed.GetValue(onnx), parsed.GetValue(bfloat16), parsed.GetValue(byOperation), parsed.GetValue(json));
            try
            {
                if (parsed.GetValue(profile) is { } folder)
                    return ProfiledPass.Write(ask.Models[0], folder, ask.Batches[0]);
                Check(ask);
                return await new NetworksBench(ask).RunAsync(cancellationToken);
            }
            catch (BadInputException e)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return Refused;
            }
        });
        return command;
    }

    static void Check(NetworksRequest ask)
    {
        if (ask.Rounds < 1 || ask.Batches.Any(b => b < 1) || !(ask.Seconds >= 0))
            throw new BadInputException("--rounds and --batch are 1 or more, and --seconds is 0 or more.");
        if (ask.Onnx is not null && ask.Models.Count > 1)
            throw new BadInputException("--onnx is one model's file: name one model.");
        if (ask.Onnx is not null && !File.Exists(ask.Onnx))
            throw new BadInputException($"There is no file {ask.Onnx}.");
    }
}
