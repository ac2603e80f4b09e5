using Taba.Diffusion.Native;
using Taba.Grains;
using Taba.Silo.Devices;

namespace Taba.Silo.Tests.Devices;

public sealed class SiloDevicesTests
{
    [Theory]
    [InlineData("auto", null, 0, "cpu")]
    [InlineData("auto", null, 4, "cuda:0")]
    [InlineData("auto", 3, 4, "cuda:0 cuda:1 cuda:2")]
    [InlineData("auto", 2, 0, "cpu:0 cpu:1")]
    [InlineData("cpu", 1, 4, "cpu")]
    [InlineData("cpu", 2, 4, "cpu:0 cpu:1")]
    [InlineData("cuda", 2, 4, "cuda:0 cuda:1")]
    [InlineData("cuda:3", null, 4, "cuda:3")]
    [InlineData("cuda:3,cuda:1", null, 4, "cuda:3 cuda:1")]
    [InlineData("cuda:3, cuda:1", 1, 4, "cuda:3")]
    [InlineData("all", null, 4, "cuda:0 cuda:1 cuda:2 cuda:3")]
    [InlineData("all", null, 0, "cpu:0 cpu:1 cpu:2 cpu:3 cpu:4 cpu:5 cpu:6 cpu:7")]
    [InlineData("all", 2, 0, "cpu:0 cpu:1")]
    public void Resolve_WhatIsThere_IsNamedInOrder(string wanted, int? count, int gpus, string names) =>
        Assert.Equal(names, string.Join(' ', SiloDevices.Resolve(wanted, count, gpus, cores: 8).Select(d => d.Name)));

    [Theory]
    [InlineData("tpu", null, 2, "it must be auto")]
    [InlineData("cpu:x", null, 2, "it must be auto")]
    [InlineData("cuda:0,cuda", null, 2, "it must be auto")]
    [InlineData("cuda:-1", null, 2, "it must be auto")]
    [InlineData("", null, 2, "it must be auto")]
    [InlineData("cuda:0,cpu:0", null, 2, "of one kind")]
    [InlineData("cuda:1,cuda:1", null, 2, "cuda:1 stands there twice")]
    [InlineData("cuda:2", null, 2, "this machine has 2 CUDA devices: cuda:0 to cuda:1")]
    [InlineData("cuda", 3, 2, "num_processes is 3, and this machine has 2 CUDA devices")]
    [InlineData("cuda", null, 0, "no CUDA device")]
    [InlineData("cpu", 9, 0, "num_processes is 9, and this process may use 8 cores")]
    [InlineData("cuda:0,cuda:1", 3, 4, "num_processes is 3, and device cuda:0,cuda:1 is 2 devices")]
    [InlineData("cpu", 0, 0, "num_processes is 0")]
    public void Resolve_WhatIsNotThere_IsRefusedInOneSentence(string wanted, int? count, int gpus, string reason)
    {
        var refused = Assert.Throws<BadInputException>(() => SiloDevices.Resolve(wanted, count, gpus, cores: 8));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Resolve_SharesOfTheProcessor_HaveNoMoreThreadsThanItHas(int count)
    {
        var devices = SiloDevices.Resolve("cpu", count, gpus: 0, cores: 8);
        // Where there are more shares than threads each has one.
        Assert.Equal(Math.Max(count, ProcessorThreads.Default), devices.Sum(d => d.Threads ?? ProcessorThreads.Default));
        Assert.All(devices, d => Assert.Equal(1, d.ThreadsOf(bitsCount: true)));
        Assert.Single(devices.Select(d => d.SpeedName).Distinct());
        Assert.Equal("cpu", devices.Kind);
    }
}
