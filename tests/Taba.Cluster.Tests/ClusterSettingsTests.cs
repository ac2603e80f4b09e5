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
    [InlineData("Provider", "mysql", "Taba:Clusters:lab:Provider: 'mysql': it must be postgres, redis or azure")]
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

    [Theory]
    [InlineData("https://a.blob.core.windows.net", null, "https://a.table.core.windows.net/")]
    [InlineData("https://A.blob.core.chinacloudapi.cn/", null, "https://a.table.core.chinacloudapi.cn/")]
    [InlineData("https://a.z03.blob.storage.azure.net", null, "https://a.z03.table.storage.azure.net/")]
    [InlineData("https://blobs.example.org", "https://tables.example.org", "https://tables.example.org/")]
    public void Read_AzureWithAnIdentity_KnowsTheAddressOfTheTables(string account, string? tables, string expected)
    {
        var options = ClusterSettings.Read(Azure(("AzureAccountUri", account), ("AzureTableUri", tables)), "lab");
        Assert.Equal(expected, AzureTables.Address(options)?.ToString());
        Assert.Equal("taba", options.GrainStateContainer);
    }

    [Theory]
    [InlineData("Store", "azure:tensors", "tensors")]
    [InlineData("GrainState", "azure:state", "state")]
    [InlineData("ServiceId", "other", "taba")]
    public void Read_Azure_KnowsTheContainerOfStates(string key, string value, string expected) => Assert.Equal(
        expected, ClusterSettings.Read(Azure(("AzureConnectionString", "secret"), (key, value)), "lab").GrainStateContainer);

    [Theory]
    [InlineData("AzureConnectionString", null, "AzureConnectionString: azure needs it")]
    [InlineData("ConnectionString", "Host=db;Password=hidden-word", "ConnectionString: azure has no database")]
    [InlineData("ClusterId", "lab/1", "ClusterId: 'lab/1': the key of a table")]
    [InlineData("AzureTableUri", "tables", "AzureTableUri: 'tables' is not an address, such as https://ACCOUNT.table")]
    [InlineData("AzureAccountUri", "http://a.example.org", "AzureAccountUri: 'http://a.example.org' is not an address")]
    public void Read_AzureWithAWrongValue_NamesKeyAndWhatWouldDo(string key, string? value, string expected)
    {
        var settings = Azure(("AzureConnectionString", "AccountKey=hidden-word"), (key, value));
        var refused = Assert.Throws<BadInputException>(() => ClusterSettings.Read(settings, "lab"));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden-word", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AzureAccountByAnotherName_AsksForTheAddressOfTheTables()
    {
        var settings = Azure(("AzureAccountUri", "https://blobs.example.org"));
        var refused = Assert.Throws<BadInputException>(() => ClusterSettings.Read(settings, "lab"));
        Assert.Contains(
            "AzureTableUri: it does not follow from 'https://blobs.example.org'", refused.Message, StringComparison.Ordinal);
    }

    static Dictionary<string, string?> Azure(params (string Key, string? Value)[] more)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Taba:Clusters:lab:Provider"] = "azure",
            ["Taba:Clusters:lab:Store"] = "/shared/taba",
        };
        foreach (var (key, value) in more)
            settings[$"Taba:Clusters:lab:{key}"] = value;
        return settings;
    }

    static Dictionary<string, string?> With(string key, string value) => new(s_good) { [$"Taba:Clusters:lab:{key}"] = value };
}
