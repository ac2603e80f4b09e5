using System.Diagnostics;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Completion in a real shell, by the command that lies beside these tests.</summary>
public sealed class CompletionTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Theory]
    [InlineData("taba|ru", "run")]
    [InlineData("taba|models|ch", "check")]
    [InlineData("taba|sample|", "adm dit gaussian if ldm")]
    [InlineData("taba|run|x.yaml|--no", "--noise --noise_dtype --no_wait")]
    [InlineData("taba|run|x.yaml|--noise|", "per-sample upstream")]
    [InlineData("taba|sample|adm|--model|ad", "adm-256 adm-32 adm-64")]
    [InlineData("taba|run|x.yaml|sa", "samples= sample_size=")]
    // Files are the shell's.
    [InlineData("taba|run|", "")]
    public async Task Bash_AsksTheCommand(string words, string expected)
    {
        if (!File.Exists("/bin/bash"))
            Assert.Skip("There is no bash here.");
        var script = (await _taba.DoneAsync("completion", "bash")).Output;
        var path = _taba.Write(
            "try.sh",
            $"PATH={AppContext.BaseDirectory}:$PATH\n{script}\nIFS='|' read -ra COMP_WORDS <<< \"$1\"\n"
            + "[[ $1 == *'|' ]] && COMP_WORDS+=('')\nCOMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))\n_taba\necho \"${COMPREPLY[*]}\"\n");
        using var bash = Process.Start(new ProcessStartInfo("/bin/bash", [path, words]) { RedirectStandardOutput = true })!;
        var found = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal(expected, found.TrimEnd());
    }

    [Theory]
    [InlineData("bash", "complete -o bashdefault -o default -F _taba taba")]
    [InlineData("zsh", "compdef _taba taba")]
    [InlineData("fish", "complete -c taba")]
    public async Task Script_OfEveryShell_IsThere(string shell, string expected) =>
        Assert.Contains(expected, (await _taba.DoneAsync("completion", shell)).Output, StringComparison.Ordinal);

    [Fact]
    public async Task Script_OfAnotherShell_IsRefused() =>
        Assert.Contains("give bash, zsh or fish", await _taba.RefuseAsync("completion", "tcsh"), StringComparison.Ordinal);
}
