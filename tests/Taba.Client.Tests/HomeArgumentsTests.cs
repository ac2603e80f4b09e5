using Taba.Client.Commands;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

public sealed class HomeArgumentsTests
{
    static readonly string s_home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    [Theory]
    [InlineData("~/out", "HOME/out")]
    [InlineData("~", "HOME")]
    [InlineData("--out=~/out", "--out=HOME/out")]
    [InlineData("input_noise=~/n.pt", "input_noise=HOME/n.pt")]
    [InlineData("input_noise=~", "input_noise=~")]
    [InlineData("~bob/out", "~bob/out")]
    [InlineData("a/~/b", "a/~/b")]
    [InlineData("./~", "./~")]
    public void Expand_Argument_IsWhatAShellMeans(string argument, string expected) =>
        Assert.Equal(expected.Replace("HOME", s_home, StringComparison.Ordinal), HomeArguments.Expand(argument));

    [Fact]
    public async Task Command_PathInTheUsersFolder_IsLookedForThere()
    {
        using var taba = new CommandLine();
        Assert.Contains(
            $"{s_home}/no-such-folder-of-runs", await taba.RefuseAsync("report", "~/no-such-folder-of-runs"), StringComparison.Ordinal);
    }
}
