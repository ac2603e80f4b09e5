using Taba.Grains;
using Taba.Silo.Clusters;
using Taba.Testing;

namespace Taba.Cluster.Tests;

/// <summary>A cluster's section of the settings: what is refused, and how.</summary>
public sealed class ClusterSettingsTests
{
    static readonly Dictionary<string, string?> s_good = new()
    {
        ["Taba:Clusters:lab:Provider"] = "postgres",
        ["Taba:Clusters:lab:ConnectionString"] = "Host=db;Password=hidden-word",
        ["Taba:Clusters:lab:Store"] = "/shared/taba",
    };

    [Fact]
    public void Read_OnlyCluster_IsMeantWhenNoneIsNamed()
    {
        var options = ClusterSettings.Read(s_good, null);
        Assert.Equal(("lab", "lab", "taba", "127.0.0.1"), (options.Name, options.ClusterId, options.ServiceId, options.Address));
    }

    [Fact]
    public void Read_ConnectionStringFile_IsRead()
    {
        using var folder = new TempFolder();
        var settings = With("ConnectionStringFile", folder.Write("secret", "Host=elsewhere\n"u8));
        settings.Remove("Taba:Clusters:lab:ConnectionString");
        Assert.Equal("Host=elsewhere", ClusterSettings.Read(settings, "lab").ConnectionString);
    }

    [Theory]
    [InlineData("Provider", "mysql", "Taba:Clusters:lab:Provider: 'mysql': it must be postgres or redis")]
    [InlineData("Store", "relative/path", "must be an absolute path")]
    [InlineData("Store", "", "Taba:Clusters:lab:Store")]
    [InlineData("Store", "azure:tensors", "AzureConnectionString: azure needs it")]
    [InlineData("Address", "db.example", "Taba:Clusters:lab:Address: 'db.example' is not an IP address")]
    [InlineData("SiloPort", "70000", "Taba:Clusters:lab:SiloPort")]
    [InlineData("SiloPort", "many", "SiloPort")]
    [InlineData("DrainFor", "00:00:00", "Taba:Clusters:lab:DrainFor")]
    [InlineData("ConnectionStringFile", "/nowhere", "give one of them")]
    [InlineData("GrainState", "disk", "auto or azure:CONTAINER")]
    public void Read_WrongValue_NamesKeyAndWhatWouldDo(string key, string value, string expected)
    {
        var refused = Assert.Throws<BadInputException>(() => ClusterSettings.Read(With(key, value), "lab"));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden-word", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_UnknownName_ListsTheKnownOnes() =>
        Assert.Contains(
            "there is lab", Assert.Throws<BadInputException>(() => ClusterSettings.Read(s_good, "lib")).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_NoConnectionString_SaysWhereToGiveIt()
    {
        var settings = new Dictionary<string, string?>(s_good);
        settings.Remove("Taba:Clusters:lab:ConnectionString");
        Assert.Contains(
            "environment", Assert.Throws<BadInputException>(() => ClusterSettings.Read(settings, "lab")).Message, StringComparison.Ordinal);
    }

    static Dictionary<string, string?> With(string key, string value) => new(s_good) { [$"Taba:Clusters:lab:{key}"] = value };
}
