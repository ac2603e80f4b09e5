using System.Diagnostics;

namespace Taba.Testing;

/// <summary>
/// A real Python with torch and NumPy, to read what we write and to write what we read: the interpreter that TABA_PYTHON
/// names, else the system's. Tests that need it are skipped without it, but fail with CI=true.
/// </summary>
public static class PythonTorch
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    static readonly Lazy<bool> s_hasPython = new(() => TryRun("-c", "pass"));
    static readonly Lazy<bool> s_hasNumpy = new(() => TryRun("-c", "import numpy"));
    static readonly Lazy<bool> s_hasTorch = new(() => TryRun("-c", "import torch, numpy"));

    static string Interpreter => Environment.GetEnvironmentVariable("TABA_PYTHON") ?? "/usr/bin/python3";

    /// <summary>Why a test that needs Python cannot run; null when it can.</summary>
    public static string? MissingPython => Has(s_hasPython) ? null : Missing("Python 3");

    /// <summary>Why a test that needs NumPy cannot run; null when it can.</summary>
    public static string? MissingNumpy => Has(s_hasNumpy) ? null : Missing("Python 3 with numpy (Debian: python3-numpy)");

    /// <summary>Why a test that needs torch cannot run; null when it can.</summary>
    public static string? MissingTorch =>
        Has(s_hasTorch) ? null : Missing("Python 3 with torch and numpy (Debian: python3-torch python3-numpy)");

    /// <summary>Runs a script and returns its standard output.</summary>
    public static string Run(string script, params string[] arguments) => RunInterpreter(["-c", script, .. arguments]);

    /// <summary>Runs the interpreter with arguments of one's own.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public static string RunInterpreter(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Interpreter, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{Interpreter} took longer than {s_limit}.");
        }

        return process.ExitCode == 0
            ? output.GetAwaiter().GetResult()
            : throw new InvalidOperationException($"{Interpreter} ended with {process.ExitCode}: {errors.GetAwaiter().GetResult()}");
    }

    static bool Has(Lazy<bool> what)
    {
        Needs.AProcess("Python");
        return what.Value;
    }

    static bool TryRun(params string[] arguments)
    {
        try
        {
            RunInterpreter(arguments);
            return true;
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    static string Missing(string what) => Environment.GetEnvironmentVariable("CI") == "true"
        ? throw new InvalidOperationException($"{what} is missing at {Interpreter}, which CI must have.")
        : $"{what} is missing at {Interpreter}.";
}
