using Taba.Grains;
using Taba.Silo.Clusters;

namespace Taba.Silo.Tests.Clusters;

public sealed class KnownSettingsTests
{
    static void Require(string key, string? value) => KnownSettings.Require([new("Taba", null), new(key, value)]);

    [Theory]
    [InlineData("Taba:Clusters:lab:Stoer", "/shared", "Taba:Clusters:lab:Stoer is no setting of taba. Did you mean Store?")]
    [InlineData("Taba:Cluster:lab:Store", "/shared", "Did you mean Clusters?")]
    [InlineData("Taba:Engine:BatchSise", "4", "Did you mean BatchSize?")]
    [InlineData("Taba:Clusters:lab:Tls:KeyFle", "/k", "Did you mean KeyFile?")]
    [InlineData("Taba:Clusters:lab:Name", "other", "Taba:Clusters:lab:Name is no setting of taba")]
    [InlineData("Taba:Clusters:lab:StoreContainer", "x", "is no setting of taba")]
    [InlineData("Taba:DefaultClusters", "lab", "Did you mean DefaultCluster?")]
    [InlineData("Taba:Verify:Nonsense", null, "Known: ")]
    public void Require_UnknownKey_NamesTheNearest(string key, string? value, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => Require(key, value)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Taba:Clusters:lab:SiloPort", "many", "Taba:Clusters:lab:SiloPort is 'many': expected a whole number.")]
    [InlineData("Taba:Clusters:lab:DrainFor", "one minute", "expected a time, such as 00:00:30.")]
    [InlineData("Taba:Clusters:lab:Init", "maybe", "expected true or false.")]
    [InlineData("Taba:Engine:BatchSize", "8.5", "expected a whole number.")]
    [InlineData("Taba:Engine", "cuda", "Taba:Engine is a section and not a value")]
    [InlineData("Taba:Engine:Device:0", "cuda:0", "Taba:Engine:Device is one value")]
    public void Require_ValueOfAnotherType_SaysWhatIsExpected(string key, string value, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => Require(key, value)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("taba:clusters:lab:store", "/shared")]
    [InlineData("Taba:Clusters:lab", null)]
    [InlineData("Taba:Clusters:lab:Tls:KeyFile", "/k")]
    [InlineData("Taba:Clusters:lab:ConnectionString", "Host=db;Password=x")]
    [InlineData("Taba:DefaultCluster", "lab")]
    [InlineData("Taba:Engine:BatchSize", "")]
    [InlineData("Taba:Web:OrleansDashboard", "true")]
    [InlineData("Taba:Store:SweepEvery", "1.00:00:00")]
    public void Require_KnownKey_IsTaken(string key, string? value) => Require(key, value);
}
