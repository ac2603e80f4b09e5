using System.Net;
using System.Net.Sockets;
using Taba.Grains;
using Taba.Silo.Hosting;

namespace Taba.Silo.Tests.Web;

public sealed class WebSettingsTests
{
    [Theory]
    [InlineData("Address=localhost", "IP address")]
    [InlineData("Address=0.0.0.0", "no token is set")]
    [InlineData("Address=0.0.0.0 Token=short", "at least 16")]
    [InlineData("Address=127.0.0.1 TokenFile=/nowhere/token", "/nowhere/token cannot be read")]
    [InlineData("Address=127.0.0.1 Port=65536", "between 0 and 65535")]
    [InlineData("Address=127.0.0.1 OperationsPort=-1", "between 0 and 65535")]
    [InlineData("Address=127.0.0.1 Port=9464", "must differ")]
    public void Require_SettingsThatCannotServe_AreRefused(string settings, string why) =>
        Assert.Contains(why, Assert.Throws<BadInputException>(() => Check(settings)).Message, StringComparison.Ordinal);

    [Fact]
    public void Require_APortThatIsTaken_IsRefusedWithItsSetting()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var refused = Assert.Throws<BadInputException>(() => Check($"Address=127.0.0.1 OperationsPort={port}"));

        Assert.StartsWith(
            $"Taba:Web:OperationsPort is {port}, and that port of 127.0.0.1 cannot be had", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Port=1234")]
    [InlineData("Address=127.0.0.1 Port=48211 OperationsPort=48212")]
    [InlineData("Address=127.0.0.1 Port=0 OperationsPort=0")]
    [InlineData("Address=0.0.0.0 Port=48213 OperationsPort=48214 Token=long-enough-for-a-token")]
    public void Require_SettingsThatServe_AreTaken(string settings) => Check(settings);

    static void Check(string settings) => SettingsCheck.Require(settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(s => s.Split('=', 2)).Select(s => new KeyValuePair<string, string?>($"Taba:Web:{s[0]}", s[1])));
}
