using System.Diagnostics;

namespace Taba.Testing.Stores;

/// <summary>Other programs.</summary>
public static class Command
{
    /// <summary>Runs a program to its end. The status is -1 where it does not exist.</summary>
    public static (int Status, string Output) Run(string program, params string[] arguments)
    {
        Needs.AProcess(program);
        try
        {
            using var process = Process.Start(Redirected(program, arguments))!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
            process.WaitForExit();
            return (process.ExitCode, output);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (-1, exception.Message);
        }
    }

    public static ProcessStartInfo Redirected(string program, params string[] arguments) => new(program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
