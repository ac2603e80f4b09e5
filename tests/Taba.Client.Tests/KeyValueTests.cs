using Taba.Client.Commands;
using Taba.Client.Embedded;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Upstream's commands take key=value beside flags.</summary>
public sealed class KeyValueTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Theory]
    [InlineData("sample adm n_samples=4 seed=3", "sample adm --n_samples=4 --seed=3")]
    [InlineData("sample adm --save_dir a=b seed=3", "sample adm --save_dir a=b --seed=3")]
    [InlineData("sample adm --internal seed=3 --with_inversion true x=1", "sample adm --internal --seed=3 --with_inversion true --x=1")]
    [InlineData("sample adm --save_dir=a=b +seed=3", "sample adm --save_dir=a=b --seed=3")]
    [InlineData("sample adm input_noise_path=null seed=3", "sample adm --seed=3")]
    [InlineData("sample if prompts=null", "sample if --prompts=null")]
    [InlineData("run x.yaml seed=3", "run x.yaml seed=3")]
    [InlineData("swap swap_type=eps", "swap swap_type=eps")]
    public void AsOptions_OnlyWordsOfTheirOwn_BecomeOptions(string given, string expected) => Assert.Equal(
        expected,
        string.Join(' ', KeyValueArguments.AsOptions(TabaCommand.Create(
            new(new(TextWriter.Null, TextWriter.Null, false, TimeProvider.System), new EmbeddedRun(), "taba")), given.Split(' '))));

    [Fact]
    public async Task Sample_InUpstreamsWords_IsTheRunOfTheFlags()
    {
        var model = _taba.GaussianModel();
        await _taba.DoneAsync(
            "sample", "gaussian", "--model", model, "n_samples=6", "seed=3", "num_inference_steps=10", "with_inversion=True",
            "--save_dir", _taba.At("out", "a"));
        await _taba.DoneAsync(
            "sample", "gaussian", "--model", model, "--n_samples", "6", "--seed", "3", "--num_inference_steps", "10", "--with_inversion",
            "--save_dir", _taba.At("out", "a"), "--json");
        Assert.Contains("\"evaluations\":0", _taba.Last.LastLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sample_WrongValueOrKey_IsRefused()
    {
        Assert.Contains("--seed is 'x'", await _taba.RefuseAsync("sample", "adm", "seed=x"), StringComparison.Ordinal);
        Assert.Contains(
            "Did you mean --n_samples?", await _taba.RefuseAsync("sample", "adm", "n_sampels=3"), StringComparison.Ordinal);
    }
}
