using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Taba.Testing.Telemetry;

/// <summary>A span as it arrived.</summary>
public sealed record SeenSpan(string Service, string Instance, string Trace, string Id, string Parent, string Name);

/// <summary>A collector of OpenTelemetry's protocol in the test's own process, over HTTP and over gRPC.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    readonly WebApplication _app;

    OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>Takes OTLP over HTTP (http/protobuf).</summary>
    public string HttpAddress { get; private set; } = "";

    /// <summary>Takes OTLP over gRPC.</summary>
    public string GrpcAddress { get; private set; } = "";

    public ConcurrentBag<SeenSpan> Spans { get; } = [];

    /// <summary>Names of metrics with the instance that sent them.</summary>
    public ConcurrentDictionary<(string Instance, string Metric), bool> Metrics { get; } = [];

    /// <summary>Texts of log records with the instance that sent them.</summary>
    public ConcurrentBag<(string Instance, string Text)> Logs { get; } = [];

    /// <summary>The header authorization of each request.</summary>
    public ConcurrentBag<string> Authorizations { get; } = [];

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.Run(receiver.ReceiveAsync);
        await app.StartAsync();
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        (receiver.HttpAddress, receiver.GrpcAddress) = (addresses[0], addresses[1]);
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var bytes = body.ToArray().AsMemory();
        Authorizations.Add(context.Request.Headers.Authorization.ToString());
        var path = context.Request.Path.Value ?? "";
        var isGrpc = path.EndsWith("/Export", StringComparison.Ordinal);
        if (isGrpc)
        {
            // One byte that says "not compressed", the length, the message.
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes.Span[1..]);
            bytes = bytes.Slice(5, length);
        }
        if (path.Contains("trace", StringComparison.OrdinalIgnoreCase))
            Read(bytes, (service, instance, span) => Spans.Add(
                new(service, instance, span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5))));
        else if (path.Contains("metrics", StringComparison.OrdinalIgnoreCase))
            Read(bytes, (_, instance, metric) => Metrics[(instance, metric.Text(1))] = true);
        else if (path.Contains("logs", StringComparison.OrdinalIgnoreCase))
            Read(bytes, (_, instance, record) => Logs.Add((instance, record.Messages(5).Select(b => b.Text(1)).FirstOrDefault() ?? "")));
        if (!isGrpc)
            return;
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>Every signal has the same frame: resources, in them scopes, in them what is sent.</summary>
    static void Read(ReadOnlyMemory<byte> bytes, Action<string, string, ProtoMessage> take)
    {
        foreach (var resource in new ProtoMessage(bytes).Messages(1))
        {
            var attributes = resource.Messages(1).SelectMany(r => r.Messages(1))
                .ToDictionary(a => a.Text(1), a => a.Messages(2).Select(v => v.Text(1)).FirstOrDefault() ?? "");
            foreach (var item in resource.Messages(2).SelectMany(scope => scope.Messages(2)))
                take(attributes.GetValueOrDefault("service.name", ""), attributes.GetValueOrDefault("service.instance.id", ""), item);
        }
    }
}
