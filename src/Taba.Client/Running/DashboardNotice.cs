using System.ComponentModel;
using System.Diagnostics;
using Taba.Grains.Sweeps;

namespace Taba.Client.Running;

/// <summary>Says where a run can be seen, and opens a browser there.</summary>
static class DashboardNotice
{
    /// <param name="json">A program reads: the address is a line of JSON, and no browser is opened.</param>
    public static void Tell(Terminal terminal, Uri dashboard, SweepPlan plan, bool json)
    {
        var address = new Uri(dashboard, $"#/sweep/{plan.SweepId}");
        if (json)
        {
            terminal.Event(new { @event = "dashboard", address = address.AbsoluteUri });
            return;
        }
        terminal.Error.WriteLine($"The run can be seen at {address} until this command ends.");
        if (Browser() is { } browser)
            Open(browser, address);
    }

    /// <summary>The program that opens an address with whatever the user likes; null where there is no display.</summary>
    static string? Browser()
    {
        if (OperatingSystem.IsMacOS())
            return "open";
        return OperatingSystem.IsLinux() && (Has("DISPLAY") || Has("WAYLAND_DISPLAY")) ? "xdg-open" : null;

        static bool Has(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 };
    }

    /// <summary>The address has been said: a browser that does not come is no reason for another word.</summary>
    static void Open(string browser, Uri address)
    {
        try
        {
            // By a shell, so that the browser, which outlives this command, writes neither here nor into a pipe that is gone.
            using var opened = Process.Start(
                new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$1\" </dev/null >/dev/null 2>&1", browser, address.AbsoluteUri]));
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException)
        {
        }
    }
}
