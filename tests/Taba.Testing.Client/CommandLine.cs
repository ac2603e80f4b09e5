using Taba.Client;
using Taba.Testing.Commands;

namespace Taba.Testing.Client;

/// <summary>The command in this process, with a folder for what it reads and writes.</summary>
public sealed class CommandLine : IDisposable
{
    readonly TempFolder _folder = new();

    public string Folder => _folder.Path;

    /// <summary>The end of the last command.</summary>
    public CommandResult Last { get; private set; } = new("", 0, "", "");

    public string At(params string[] parts) => _folder.At(parts);

    public string Write(string name, string text) => _folder.Write(name, text);

    /// <summary>A model without a network: 3x8x8 independent Gaussian pixels, 100 diffusion steps.</summary>
    public string GaussianModel(string name = "g", int size = 8) =>
        TinyModels.Gaussian(_folder.At(name, "model.json"), imageSize: size, diffusionSteps: 100);

    /// <summary>Runs a command to its end.</summary>
    public async Task<CommandResult> RunAsync(params IEnumerable<string> arguments) => Last = await InProcess.RunAsync(arguments);

    /// <summary>Runs a command and requires that it is done.</summary>
    public async Task<CommandResult> DoneAsync(params IEnumerable<string> arguments) => Last = await InProcess.DoneAsync(arguments);

    /// <summary>Runs what must be refused: status 2, one sentence, and no file added, changed or touched.</summary>
    /// <returns>The sentence.</returns>
    /// <exception cref="CommandException">It was not, or not so.</exception>
    public async Task<string> RefuseAsync(params IEnumerable<string> arguments)
    {
        var before = _folder.Listing();
        var refused = (await RunAsync(arguments)).ShouldEnd(ExitStatus.BadInput);
        var sentence = refused.Errors.TrimEnd();
        if (refused.Output.Length > 0
            || sentence.Contains('\n', StringComparison.Ordinal) || !sentence.EndsWith('.') && !sentence.EndsWith('?'))
            throw new CommandException(
                $"{refused.Command} is refused with more or less than one sentence:\n{refused.Errors}\n{refused.Output}");
        var changed = _folder.Listing().Except(before).Concat(before.Except(_folder.Listing())).ToList();
        return changed.Count == 0
            ? refused.Errors
            : throw new CommandException($"{refused.Command} is refused and changed {string.Join(", ", changed)}.");
    }

    public void Dispose() => _folder.Dispose();
}
