using System.Text.Json;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

public sealed class ModelsDescribeTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    string Checkpoint()
    {
        var target = _taba.At("mine.pt");
        File.Copy(Fixtures.At("models/adm/cifar32_tiny/model.pt"), target);
        return target;
    }

    [Fact]
    public async Task Describe_Write_MakesAModelThatFits()
    {
        var checkpoint = Checkpoint();

        await _taba.DoneAsync("models", "describe", checkpoint, "--write");

        Assert.Equal(_taba.At("model.json"), _taba.Last.Output.Trim());
        Assert.Contains("not told by its shapes, so check: image_size, num_heads", _taba.Last.Errors, StringComparison.Ordinal);
        await _taba.DoneAsync("models", "check", _taba.At("model.json"));
        Assert.EndsWith("they fit", _taba.Last.Output.Trim(), StringComparison.Ordinal);
        Assert.Contains("1000 diffusion steps, noise schedule linear", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains("guessed, because no checkpoint tells it: image_size", _taba.Last.Output, StringComparison.Ordinal);
        // What is there may have been corrected by hand.
        Assert.Contains("is there already", await _taba.RefuseAsync("models", "describe", checkpoint, "--write"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Describe_WhatNoShapeTells_IsTakenFromWhoeverKnows()
    {
        var checkpoint = Checkpoint();

        await _taba.DoneAsync(
            "models", "describe", checkpoint, "--write", "image_size=32", "num_heads=2", "diffusion_steps=4000", "noise_schedule=cosine",
            "rescale_timesteps=true");

        using var model = JsonDocument.Parse(File.ReadAllBytes(_taba.At("model.json")));
        Assert.Equal(
            ["num_heads_upsample", "num_head_channels", "use_new_attention_order"],
            model.RootElement.GetProperty("_untold").EnumerateArray().Select(field => field.GetString()));
        Assert.Equal(2, model.RootElement.GetProperty("num_heads").GetInt32());
        await _taba.DoneAsync("models", "check", _taba.At("model.json"));
        Assert.Contains("4000 diffusion steps, noise schedule cosine", _taba.Last.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("num_channels=64", "only what no shape tells can be given: image_size, num_heads")]
    [InlineData("noise_schedule=sine", "noise_schedule")]
    [InlineData("diffusion_steps=1e9", "diffusion_steps")]
    [InlineData("image_size=32,5", "image_size is '32,5'")]
    [InlineData("rescale_timesteps=[true]", "rescale_timesteps")]
    public async Task Describe_WhatCannotBeSo_IsRefused(string told, string expected)
    {
        Assert.Contains(
            expected, await _taba.RefuseAsync("models", "describe", Checkpoint(), "--write", told), StringComparison.Ordinal);
        Assert.False(File.Exists(_taba.At("model.json")));
    }

    [Fact]
    public async Task Describe_Plain_PrintsTheDescriptionAlone()
    {
        await _taba.DoneAsync("models", "describe", Checkpoint());
        using var description = JsonDocument.Parse(_taba.Last.Output);
        Assert.Equal("mine.pt", description.RootElement.GetProperty("weights").GetString());
        Assert.False(File.Exists(_taba.At("model.json")));
    }

    [Fact]
    public async Task Check_Json_HasTheSchedule()
    {
        await _taba.DoneAsync("models", "check", "demo", "--json");
        using var check = JsonDocument.Parse(_taba.Last.Output);
        Assert.True(check.RootElement.GetProperty("fits").GetBoolean());
        Assert.Equal(1000, check.RootElement.GetProperty("diffusion_steps").GetInt32());
        Assert.Contains("cosine", check.RootElement.GetProperty("schedule").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, check.RootElement.GetProperty("assumed").GetArrayLength());
    }

    [Fact]
    public async Task Plan_ModelThatLeavesOutItsSchedule_SaysWhatIsAssumed()
    {
        Checkpoint();
        _taba.Write(
            "model.json",
            """
            { "family": "adm", "weights": "mine.pt", "image_size": 32, "num_channels": 32, "num_res_blocks": 1, "learn_sigma": true }
            """);
        var sweep = _taba.Write("s.yaml", $"name: s\nmodel: {_taba.At("model.json")}\nsamples: 2\nnum_inference_steps: 2\n");
        await _taba.DoneAsync("plan", sweep);
        Assert.Contains("noise_schedule = linear", _taba.Last.Errors, StringComparison.Ordinal);
        await _taba.DoneAsync("plan", sweep, "--json");
        using var note = JsonDocument.Parse(_taba.Last.Errors);
        Assert.Equal("note", note.RootElement.GetProperty("event").GetString());
        Assert.Contains("noise_schedule = linear", note.RootElement.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sample", "adm", "--model")]
    [InlineData("models", "check")]
    public async Task Model_ThatIsACheckpoint_SaysHowToDescribeIt(params string[] command)
    {
        var checkpoint = Checkpoint();
        var renamed = Path.ChangeExtension(checkpoint, ".ckpt");
        File.Move(checkpoint, renamed);
        var error = await _taba.RefuseAsync([.. command, renamed]);
        Assert.Contains($"'taba models describe {renamed} --write'", error, StringComparison.Ordinal);
    }
}
