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
    [InlineData("Address=127.0.0.1 Port=0", "between 1 and 65535")]
    [InlineData("Address=127.0.0.1 Port=9464", "must differ")]
    public void Require_SettingsThatCannotServe_AreRefused(string settings, string why) =>
        Assert.Contains(why, Assert.Throws<BadInputException>(() => Check(settings)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("Address=127.0.0.1")]
    [InlineData("Address=::1 Port=1234")]
    [InlineData("Address=0.0.0.0 Token=long-enough-for-a-token")]
    public void Require_SettingsThatServe_AreTaken(string settings) => Check(settings);

    static void Check(string settings) => SettingsCheck.Require(settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(s => s.Split('=', 2)).Select(s => new KeyValuePair<string, string?>($"Taba:Web:{s[0]}", s[1])));
}
