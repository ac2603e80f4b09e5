using System.Diagnostics;

namespace Taba.Chart.Tests;

/// <summary>A program that test.sh prepares, and what it said.</summary>
sealed record ToolResult(int Status, string Output, string Error);

/// <summary>The two programs of these tests: the renderer of charts, and the schemas of Kubernetes.</summary>
static class ChartTool
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    static readonly string s_renderer = ChartFiles.At("tests/Taba.Chart.Tests/helm-render/bin/helm-render");
    static readonly string s_validator = ChartFiles.At("tests/Taba.Chart.Tests/Validator");

    /// <summary>Skips the test that asks, or fails it where nothing may be skipped.</summary>
    public static void RequireRenderer() => Require(
        File.Exists(s_renderer), "helm-render (apt: golang-1.19-go and the packages that its build.sh names)");

    public static void RequireValidator() => Require(
        Directory.Exists(Path.Combine(s_validator, "node_modules/kubernetes-models")),
        "kubernetes-models (npm, in tests/Taba.Chart.Tests/Validator)");

    public static Task<ToolResult> RenderAsync(params IEnumerable<string> arguments)
    {
        RequireRenderer();
        return RunAsync(s_renderer, arguments, input: "");
    }

    public static Task<ToolResult> ValidateAsync(string yaml)
    {
        RequireValidator();
        return RunAsync("node", [Path.Combine(s_validator, "validate.mjs")], yaml);
    }

    static void Require(bool there, string what)
    {
        if (there)
            return;
        if (Environment.GetEnvironmentVariable("CI") == "true")
            throw new InvalidOperationException($"{what} is missing, which CI must have: test.sh installs it.");
        Assert.Skip($"{what} is missing: test.sh installs it.");
    }

    static async Task<ToolResult> RunAsync(string program, IEnumerable<string> arguments, string input)
    {
        Needs.AProcess(program);
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var limit = new CancellationTokenSource(s_limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
        process.StandardInput.Close();
        await process.WaitForExitAsync(limit.Token);
        return new(process.ExitCode, await output, await error);
    }
}
