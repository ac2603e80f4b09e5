using System.Diagnostics;

namespace Taba.Architecture.Tests;

/// <summary>What runs where no build looks at it: the scripts that measure on a GPU can at least be read.</summary>
[Trait("needs", "process")]
public sealed class BenchScriptTests
{
    const string PrintsWhatDoesNotCompile = """
        import ast, pathlib, sys
        for name in sys.argv[1:]:
            try:
                ast.parse(pathlib.Path(name).read_text(encoding="utf-8"), name)
            except SyntaxError as error:
                print(error)
        """;

    [Fact]
    public async Task GpuScript_IsReadByBash() => Assert.Equal("", await SaidAsync("bash", "-n", Repository.At("bench/gpu.sh")));

    [Fact]
    public async Task Reference_IsReadByPython()
    {
        string[] files = [.. Repository.Files("bench/reference").Where(f => f.EndsWith(".py", StringComparison.Ordinal))];
        Assert.Contains("bench/reference/session.py", files);
        Assert.Equal("", await SaidAsync("python3", ["-c", PrintsWhatDoesNotCompile, .. files.Select(Repository.At)]));
    }

    /// <summary>What a program prints, complaints included.</summary>
    static async Task<string> SaidAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, complaint) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return await said + await complaint + (process.ExitCode == 0 ? "" : $" (status {process.ExitCode})");
    }
}
