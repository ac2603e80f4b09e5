using System.Diagnostics;

namespace Taba.Chaos.Scenarios;

/// <summary>A network namespace for each silo, joined by a bridge on which the servers listen. Needs root.</summary>
sealed class SiloNetworks : IDisposable
{
    const string Bridge = "taba-chaos";

    /// <summary>Where the servers and the client are.</summary>
    public const string Host = "10.77.0.1";

    readonly List<string> _names = [];

    public SiloNetworks()
    {
        Ip("link", "add", Bridge, "type", "bridge");
        Ip("addr", "add", $"{Host}/24", "dev", Bridge);
        Ip("link", "set", Bridge, "up");
    }

    /// <summary>Makes a silo's network.</summary>
    /// <returns>Its address, and the command that enters it.</returns>
    public (string Address, string[] Within) Of(string silo)
    {
        var i = _names.IndexOf(silo);
        if (i < 0)
        {
            i = _names.Count;
            _names.Add(silo);
            Ip("netns", "add", Space(silo));
            Ip("link", "add", Outside(silo), "type", "veth", "peer", "name", "eth0", "netns", Space(silo));
            Ip("link", "set", Outside(silo), "master", Bridge, "up");
            In(silo, "ip", "addr", "add", $"{Address(i)}/24", "dev", "eth0");
            In(silo, "ip", "link", "set", "eth0", "up");
            In(silo, "ip", "link", "set", "lo", "up");
        }
        return (Address(i), ["ip", "netns", "exec", Space(silo)]);
    }

    /// <summary>Nothing gets out of a silo's network or into it.</summary>
    public void CutOff(string silo) => Ip("link", "set", Outside(silo), "down");

    public void Join(string silo) => Ip("link", "set", Outside(silo), "up");

    /// <summary>A silo hears nothing from other silos, and they nothing from it; servers and clients it reaches.</summary>
    public void Separate(string silo)
    {
        for (var i = 0; i < _names.Count; i++)
        {
            if (_names[i] != silo)
                In(silo, "iptables", "-A", "INPUT", "-s", Address(i), "-j", "DROP");
        }
    }

    public void Reunite(string silo) => In(silo, "iptables", "-F", "INPUT");

    public void Dispose()
    {
        foreach (var silo in _names)
            Run("ip", "netns", "del", Space(silo));
        Run("ip", "link", "del", Bridge);
    }

    static string Space(string silo) => $"taba-{silo}";

    static string Outside(string silo) => $"taba-v-{silo}";

    static string Address(int i) => $"10.77.0.{i + 11}";

    static void In(string silo, params string[] command) => Require("ip", ["netns", "exec", Space(silo), .. command]);

    static void Ip(params string[] arguments) => Require("ip", arguments);

    static void Require(string program, params string[] arguments)
    {
        if (Run(program, arguments) is var (status, said) && status != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {status}: {said}");
    }

    static (int Status, string Said) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }
}
